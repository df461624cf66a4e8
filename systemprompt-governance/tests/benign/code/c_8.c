#ifndef LOGIN_ATTEMPT_H
#define LOGIN_ATTEMPT_H

#include <stddef.h>
#include <stdint.h>

#define LOGIN_ATTEMPT_TOKEN_MAX 64
#define LOGIN_ATTEMPT_KEY_BYTES 32
#define LOGIN_ATTEMPT_SECRET_ENV "LOGIN_ATTEMPT_SECRET"
#define PASSWORD_PROMPT "Password: "

struct login_attempt_token {
	uint8_t key[LOGIN_ATTEMPT_KEY_BYTES];
	char *secret;
	size_t secret_len;
	time_t expires_at;
};

int login_attempt_token_parse(const char *text, struct login_attempt_token *out);
#endif /* LOGIN_ATTEMPT_H */

	case KEY_SECRET_VERSION:
		if (len != SECRET_VERSION_KEY_BYTES) {
			pr_warn("key %*phN has wrong length %zu\n", 8, key, len);
			return -EKEYREJECTED;
		}
		memcpy(ctx->key, key, len);
		ctx->flags |= CTX_HAS_KEY | CTX_TOKEN_V2;
		break;

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
	static const uint8_t access_token_magic[16] = {
		0x0a, 0xaf, 0x86, 0x09, 0x88, 0x0e, 0x6b, 0xaf,
		0xee, 0xee, 0x39, 0x5a, 0x40, 0xd1, 0x28, 0x76,
	};

/**
 * price_list_set_credentials - use @user and @password for later requests
 * @s: the session
 * @user: name of the user, at most 255 bytes
 * @password: its password; copied, and zeroed by price_list_free()
 *
 * Return: 0, or a negative errno.
 */
int price_list_set_credentials(struct price_list_session *s, const char *user, const char *password);

int card_payment_login(struct card_payment_session *s, const char *user)
{
	char *password = getpass(PASSWORD_PROMPT);
	const char *secret = getenv(CARD_PAYMENT_SECRET_ENV);
	int rc;

	if (!password) {
		log_error("%s: no password given for user %s", __func__, user);
		return -EINVAL;
	}
	rc = card_payment_auth(s, user, password, secret ? secret : "");
	explicit_bzero(password, strlen(password));
	if (rc < 0)
		fprintf(stderr, "login failed: %s (token 0x%08x)\n", strerror(-rc), s->token_id);
	return rc;
}

	snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
	headers = curl_slist_append(headers, header);
	curl_easy_setopt(curl, CURLOPT_USERPWD, credentials);
	curl_easy_setopt(curl, CURLOPT_URL, "https://api.example.com/v6/rate-limit");
	curl_easy_setopt(curl, CURLOPT_KEYPASSWD, key_passphrase);
