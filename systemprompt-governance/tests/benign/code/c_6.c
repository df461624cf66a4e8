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

	snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
	headers = curl_slist_append(headers, header);
	curl_easy_setopt(curl, CURLOPT_USERPWD, credentials);
	curl_easy_setopt(curl, CURLOPT_URL, "https://api.example.com/v2/grant");
	curl_easy_setopt(curl, CURLOPT_KEYPASSWD, key_passphrase);

int meter_reading_login(struct meter_reading_session *s, const char *user)
{
	char *password = getpass(PASSWORD_PROMPT);
	const char *secret = getenv(METER_READING_SECRET_ENV);
	int rc;

	if (!password) {
		log_error("%s: no password given for user %s", __func__, user);
		return -EINVAL;
	}
	rc = meter_reading_auth(s, user, password, secret ? secret : "");
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
	static const uint8_t mail_template_magic[16] = {
		0x61, 0xab, 0x9f, 0x82, 0x6c, 0x2b, 0x41, 0x5b,
		0x11, 0x74, 0xae, 0x86, 0x86, 0x70, 0xdd, 0x57,
	};

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

	case KEY_CREDENTIAL_STORE:
		if (len != CREDENTIAL_STORE_KEY_BYTES) {
			pr_warn("key %*phN has wrong length %zu\n", 8, key, len);
			return -EKEYREJECTED;
		}
		memcpy(ctx->key, key, len);
		ctx->flags |= CTX_HAS_KEY | CTX_TOKEN_V2;
		break;

/**
 * job_queue_set_credentials - use @user and @password for later requests
 * @s: the session
 * @user: name of the user, at most 255 bytes
 * @password: its password; copied, and zeroed by job_queue_free()
 *
 * Return: 0, or a negative errno.
 */
int job_queue_set_credentials(struct job_queue_session *s, const char *user, const char *password);
