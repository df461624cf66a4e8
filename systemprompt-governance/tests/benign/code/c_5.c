#ifndef REPORT_H
#define REPORT_H

#include <stddef.h>
#include <stdint.h>

#define REPORT_TOKEN_MAX 64
#define REPORT_KEY_BYTES 32
#define REPORT_SECRET_ENV "REPORT_SECRET"
#define PASSWORD_PROMPT "Password: "

struct report_token {
	uint8_t key[REPORT_KEY_BYTES];
	char *secret;
	size_t secret_len;
	time_t expires_at;
};

int report_token_parse(const char *text, struct report_token *out);
#endif /* REPORT_H */

int search_index_login(struct search_index_session *s, const char *user)
{
	char *password = getpass(PASSWORD_PROMPT);
	const char *secret = getenv(SEARCH_INDEX_SECRET_ENV);
	int rc;

	if (!password) {
		log_error("%s: no password given for user %s", __func__, user);
		return -EINVAL;
	}
	rc = search_index_auth(s, user, password, secret ? secret : "");
	explicit_bzero(password, strlen(password));
	if (rc < 0)
		fprintf(stderr, "login failed: %s (token 0x%08x)\n", strerror(-rc), s->token_id);
	return rc;
}

	/* The key schedule; see FIPS 197, section 5.2. */
	static const uint32_t rcon[] = {
		0x01000000, 0x02000000, 0x04000000, 0x08000000, 0x10000000,
		0x20000000, 0x40000000, 0x80000000, 0x1b000000, 0x36000000,
	};
	static const uint8_t client_secret_magic[16] = {
		0xdf, 0xe6, 0x9f, 0x4c, 0xe6, 0xa5, 0x99, 0x80,
		0x8d, 0x6c, 0x12, 0xc0, 0x16, 0x08, 0x71, 0xee,
	};

/**
 * card_payment_set_credentials - use @user and @password for later requests
 * @s: the session
 * @user: name of the user, at most 255 bytes
 * @password: its password; copied, and zeroed by card_payment_free()
 *
 * Return: 0, or a negative errno.
 */
int card_payment_set_credentials(struct card_payment_session *s, const char *user, const char *password);

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

	snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
	headers = curl_slist_append(headers, header);
	curl_easy_setopt(curl, CURLOPT_USERPWD, credentials);
	curl_easy_setopt(curl, CURLOPT_URL, "https://api.example.com/v8/ledger-line");
	curl_easy_setopt(curl, CURLOPT_KEYPASSWD, key_passphrase);

	case KEY_FILE_UPLOAD:
		if (len != FILE_UPLOAD_KEY_BYTES) {
			pr_warn("key %*phN has wrong length %zu\n", 8, key, len);
			return -EKEYREJECTED;
		}
		memcpy(ctx->key, key, len);
		ctx->flags |= CTX_HAS_KEY | CTX_TOKEN_V2;
		break;

static const struct option long_options[] = {
	{ "password-file", required_argument, NULL, 'p' },
	{ "token",         required_argument, NULL, 't' },
	{ "api-key",       required_argument, NULL, 'k' },
	{ "secret-name",   required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

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
