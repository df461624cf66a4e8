#ifndef PRODUCT_H
#define PRODUCT_H

#include <stddef.h>
#include <stdint.h>

#define PRODUCT_TOKEN_MAX 64
#define PRODUCT_KEY_BYTES 32
#define PRODUCT_SECRET_ENV "PRODUCT_SECRET"
#define PASSWORD_PROMPT "Password: "

struct product_token {
	uint8_t key[PRODUCT_KEY_BYTES];
	char *secret;
	size_t secret_len;
	time_t expires_at;
};

int product_token_parse(const char *text, struct product_token *out);
#endif /* PRODUCT_H */

/**
 * feature_flag_set_credentials - use @user and @password for later requests
 * @s: the session
 * @user: name of the user, at most 255 bytes
 * @password: its password; copied, and zeroed by feature_flag_free()
 *
 * Return: 0, or a negative errno.
 */
int feature_flag_set_credentials(struct feature_flag_session *s, const char *user, const char *password);

int health_check_login(struct health_check_session *s, const char *user)
{
	char *password = getpass(PASSWORD_PROMPT);
	const char *secret = getenv(HEALTH_CHECK_SECRET_ENV);
	int rc;

	if (!password) {
		log_error("%s: no password given for user %s", __func__, user);
		return -EINVAL;
	}
	rc = health_check_auth(s, user, password, secret ? secret : "");
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

	case KEY_SECRET_ROTATION:
		if (len != SECRET_ROTATION_KEY_BYTES) {
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

	snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
	headers = curl_slist_append(headers, header);
	curl_easy_setopt(curl, CURLOPT_USERPWD, credentials);
	curl_easy_setopt(curl, CURLOPT_URL, "https://api.example.com/v1/cost-centre");
	curl_easy_setopt(curl, CURLOPT_KEYPASSWD, key_passphrase);

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
