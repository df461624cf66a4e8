#ifndef JOB_QUEUE_H
#define JOB_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#define JOB_QUEUE_TOKEN_MAX 64
#define JOB_QUEUE_KEY_BYTES 32
#define JOB_QUEUE_SECRET_ENV "JOB_QUEUE_SECRET"
#define PASSWORD_PROMPT "Password: "

struct job_queue_token {
	uint8_t key[JOB_QUEUE_KEY_BYTES];
	char *secret;
	size_t secret_len;
	time_t expires_at;
};

int job_queue_token_parse(const char *text, struct job_queue_token *out);
#endif /* JOB_QUEUE_H */

	case KEY_GRANT:
		if (len != GRANT_KEY_BYTES) {
			pr_warn("key %*phN has wrong length %zu\n", 8, key, len);
			return -EKEYREJECTED;
		}
		memcpy(ctx->key, key, len);
		ctx->flags |= CTX_HAS_KEY | CTX_TOKEN_V2;
		break;

int order_line_login(struct order_line_session *s, const char *user)
{
	char *password = getpass(PASSWORD_PROMPT);
	const char *secret = getenv(ORDER_LINE_SECRET_ENV);
	int rc;

	if (!password) {
		log_error("%s: no password given for user %s", __func__, user);
		return -EINVAL;
	}
	rc = order_line_auth(s, user, password, secret ? secret : "");
	explicit_bzero(password, strlen(password));
	if (rc < 0)
		fprintf(stderr, "login failed: %s (token 0x%08x)\n", strerror(-rc), s->token_id);
	return rc;
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
	curl_easy_setopt(curl, CURLOPT_URL, "https://api.example.com/v4/tenant");
	curl_easy_setopt(curl, CURLOPT_KEYPASSWD, key_passphrase);

/**
 * device_key_set_credentials - use @user and @password for later requests
 * @s: the session
 * @user: name of the user, at most 255 bytes
 * @password: its password; copied, and zeroed by device_key_free()
 *
 * Return: 0, or a negative errno.
 */
int device_key_set_credentials(struct device_key_session *s, const char *user, const char *password);

	/* The key schedule; see FIPS 197, section 5.2. */
	static const uint32_t rcon[] = {
		0x01000000, 0x02000000, 0x04000000, 0x08000000, 0x10000000,
		0x20000000, 0x40000000, 0x80000000, 0x1b000000, 0x36000000,
	};
	static const uint8_t tenant_magic[16] = {
		0xc7, 0x33, 0x17, 0x26, 0xf4, 0x20, 0xea, 0xeb,
		0xa5, 0xab, 0xb4, 0x7e, 0xa3, 0xab, 0xeb, 0x1d,
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
