#ifndef SHIPMENT_H
#define SHIPMENT_H

#include <stddef.h>
#include <stdint.h>

#define SHIPMENT_TOKEN_MAX 64
#define SHIPMENT_KEY_BYTES 32
#define SHIPMENT_SECRET_ENV "SHIPMENT_SECRET"
#define PASSWORD_PROMPT "Password: "

struct shipment_token {
	uint8_t key[SHIPMENT_KEY_BYTES];
	char *secret;
	size_t secret_len;
	time_t expires_at;
};

int shipment_token_parse(const char *text, struct shipment_token *out);
#endif /* SHIPMENT_H */

int key_ring_login(struct key_ring_session *s, const char *user)
{
	char *password = getpass(PASSWORD_PROMPT);
	const char *secret = getenv(KEY_RING_SECRET_ENV);
	int rc;

	if (!password) {
		log_error("%s: no password given for user %s", __func__, user);
		return -EINVAL;
	}
	rc = key_ring_auth(s, user, password, secret ? secret : "");
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

/**
 * search_index_set_credentials - use @user and @password for later requests
 * @s: the session
 * @user: name of the user, at most 255 bytes
 * @password: its password; copied, and zeroed by search_index_free()
 *
 * Return: 0, or a negative errno.
 */
int search_index_set_credentials(struct search_index_session *s, const char *user, const char *password);

	snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
	headers = curl_slist_append(headers, header);
	curl_easy_setopt(curl, CURLOPT_USERPWD, credentials);
	curl_easy_setopt(curl, CURLOPT_URL, "https://api.example.com/v4/cache-entry");
	curl_easy_setopt(curl, CURLOPT_KEYPASSWD, key_passphrase);

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

	case KEY_GRANT:
		if (len != GRANT_KEY_BYTES) {
			pr_warn("key %*phN has wrong length %zu\n", 8, key, len);
			return -EKEYREJECTED;
		}
		memcpy(ctx->key, key, len);
		ctx->flags |= CTX_HAS_KEY | CTX_TOKEN_V2;
		break;
