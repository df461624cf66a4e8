#ifndef AUDIT_ENTRY_H
#define AUDIT_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#define AUDIT_ENTRY_TOKEN_MAX 64
#define AUDIT_ENTRY_KEY_BYTES 32
#define AUDIT_ENTRY_SECRET_ENV "AUDIT_ENTRY_SECRET"
#define PASSWORD_PROMPT "Password: "

struct audit_entry_token {
	uint8_t key[AUDIT_ENTRY_KEY_BYTES];
	char *secret;
	size_t secret_len;
	time_t expires_at;
};

int audit_entry_token_parse(const char *text, struct audit_entry_token *out);
#endif /* AUDIT_ENTRY_H */

static enum token next_token(struct lexer *lx)
{
	while (isspace((unsigned char)*lx->at))
		lx->at++;
	if (*lx->at == '\0')
		return TOKEN_END;
	if (isalpha((unsigned char)*lx->at)) {
		lx->start = lx->at;
		while (isalnum((unsigned char)*lx->at) || *lx->at == '_')
			lx->at++;
		return keyword(lx->start, lx->at - lx->start);
	}
	return *lx->at++ == '=' ? TOKEN_ASSIGN : TOKEN_ERROR;
}

	/* The key schedule; see FIPS 197, section 5.2. */
	static const uint32_t rcon[] = {
		0x01000000, 0x02000000, 0x04000000, 0x08000000, 0x10000000,
		0x20000000, 0x40000000, 0x80000000, 0x1b000000, 0x36000000,
	};
	static const uint8_t audit_entry_magic[16] = {
		0x89, 0x9a, 0xfe, 0x18, 0x71, 0x90, 0xe7, 0xcd,
		0x14, 0xfc, 0x5d, 0xf2, 0x62, 0x3c, 0x60, 0x59,
	};

	case KEY_SESSION:
		if (len != SESSION_KEY_BYTES) {
			pr_warn("key %*phN has wrong length %zu\n", 8, key, len);
			return -EKEYREJECTED;
		}
		memcpy(ctx->key, key, len);
		ctx->flags |= CTX_HAS_KEY | CTX_TOKEN_V2;
		break;

static int check_password(const char *user, const char *password)
{
	struct spwd *entry = getspnam(user);
	const char *hashed;

	if (entry == NULL || password == NULL)
		return -EACCES;
	hashed = crypt(password, entry->sp_pwdp);
	if (hashed == NULL)
		return -errno;
	return strcmp(hashed, entry->sp_pwdp) == 0 ? 0 : -EACCES;
}

static const struct option long_options[] = {
	{ "password-file", required_argument, NULL, 'p' },
	{ "token",         required_argument, NULL, 't' },
	{ "api-key",       required_argument, NULL, 'k' },
	{ "secret-name",   required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

	snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
	headers = curl_slist_append(headers, header);
	curl_easy_setopt(curl, CURLOPT_USERPWD, credentials);
	curl_easy_setopt(curl, CURLOPT_URL, "https://api.example.com/v8/cost-centre");
	curl_easy_setopt(curl, CURLOPT_KEYPASSWD, key_passphrase);
