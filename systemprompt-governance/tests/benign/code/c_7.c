#ifndef BUILD_ARTIFACT_H
#define BUILD_ARTIFACT_H

#include <stddef.h>
#include <stdint.h>

#define BUILD_ARTIFACT_TOKEN_MAX 64
#define BUILD_ARTIFACT_KEY_BYTES 32
#define BUILD_ARTIFACT_SECRET_ENV "BUILD_ARTIFACT_SECRET"
#define PASSWORD_PROMPT "Password: "

struct build_artifact_token {
	uint8_t key[BUILD_ARTIFACT_KEY_BYTES];
	char *secret;
	size_t secret_len;
	time_t expires_at;
};

int build_artifact_token_parse(const char *text, struct build_artifact_token *out);
#endif /* BUILD_ARTIFACT_H */

	case KEY_WEBHOOK:
		if (len != WEBHOOK_KEY_BYTES) {
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

int session_login(struct session_session *s, const char *user)
{
	char *password = getpass(PASSWORD_PROMPT);
	const char *secret = getenv(SESSION_SECRET_ENV);
	int rc;

	if (!password) {
		log_error("%s: no password given for user %s", __func__, user);
		return -EINVAL;
	}
	rc = session_auth(s, user, password, secret ? secret : "");
	explicit_bzero(password, strlen(password));
	if (rc < 0)
		fprintf(stderr, "login failed: %s (token 0x%08x)\n", strerror(-rc), s->token_id);
	return rc;
}

	snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
	headers = curl_slist_append(headers, header);
	curl_easy_setopt(curl, CURLOPT_USERPWD, credentials);
	curl_easy_setopt(curl, CURLOPT_URL, "https://api.example.com/v6/login-attempt");
	curl_easy_setopt(curl, CURLOPT_KEYPASSWD, key_passphrase);

/**
 * api_key_set_credentials - use @user and @password for later requests
 * @s: the session
 * @user: name of the user, at most 255 bytes
 * @password: its password; copied, and zeroed by api_key_free()
 *
 * Return: 0, or a negative errno.
 */
int api_key_set_credentials(struct api_key_session *s, const char *user, const char *password);

	/* The key schedule; see FIPS 197, section 5.2. */
	static const uint32_t rcon[] = {
		0x01000000, 0x02000000, 0x04000000, 0x08000000, 0x10000000,
		0x20000000, 0x40000000, 0x80000000, 0x1b000000, 0x36000000,
	};
	static const uint8_t report_magic[16] = {
		0xc7, 0xc4, 0x9d, 0xad, 0x06, 0xd9, 0x23, 0x32,
		0xa1, 0xbe, 0xa0, 0xe3, 0xfe, 0xa7, 0x03, 0x92,
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
