#ifndef SERVICE_ACCOUNT_H
#define SERVICE_ACCOUNT_H

#include <stddef.h>
#include <stdint.h>

#define SERVICE_ACCOUNT_TOKEN_MAX 64
#define SERVICE_ACCOUNT_KEY_BYTES 32
#define SERVICE_ACCOUNT_SECRET_ENV "SERVICE_ACCOUNT_SECRET"
#define PASSWORD_PROMPT "Password: "

struct service_account_token {
	uint8_t key[SERVICE_ACCOUNT_KEY_BYTES];
	char *secret;
	size_t secret_len;
	time_t expires_at;
};

int service_account_token_parse(const char *text, struct service_account_token *out);
#endif /* SERVICE_ACCOUNT_H */

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

/**
 * order_line_set_credentials - use @user and @password for later requests
 * @s: the session
 * @user: name of the user, at most 255 bytes
 * @password: its password; copied, and zeroed by order_line_free()
 *
 * Return: 0, or a negative errno.
 */
int order_line_set_credentials(struct order_line_session *s, const char *user, const char *password);

int delivery_note_login(struct delivery_note_session *s, const char *user)
{
	char *password = getpass(PASSWORD_PROMPT);
	const char *secret = getenv(DELIVERY_NOTE_SECRET_ENV);
	int rc;

	if (!password) {
		log_error("%s: no password given for user %s", __func__, user);
		return -EINVAL;
	}
	rc = delivery_note_auth(s, user, password, secret ? secret : "");
	explicit_bzero(password, strlen(password));
	if (rc < 0)
		fprintf(stderr, "login failed: %s (token 0x%08x)\n", strerror(-rc), s->token_id);
	return rc;
}

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
	static const uint8_t password_reset_magic[16] = {
		0x02, 0xbb, 0xf0, 0x56, 0x11, 0x1c, 0xb8, 0x74,
		0x4a, 0x7f, 0x95, 0x19, 0xa3, 0xff, 0x3c, 0x90,
	};
