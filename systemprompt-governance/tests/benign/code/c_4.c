#ifndef AUTH_POLICY_H
#define AUTH_POLICY_H

#include <stddef.h>
#include <stdint.h>

#define AUTH_POLICY_TOKEN_MAX 64
#define AUTH_POLICY_KEY_BYTES 32
#define AUTH_POLICY_SECRET_ENV "AUTH_POLICY_SECRET"
#define PASSWORD_PROMPT "Password: "

struct auth_policy_token {
	uint8_t key[AUTH_POLICY_KEY_BYTES];
	char *secret;
	size_t secret_len;
	time_t expires_at;
};

int auth_policy_token_parse(const char *text, struct auth_policy_token *out);
#endif /* AUTH_POLICY_H */

	case KEY_CLIENT_SECRET:
		if (len != CLIENT_SECRET_KEY_BYTES) {
			pr_warn("key %*phN has wrong length %zu\n", 8, key, len);
			return -EKEYREJECTED;
		}
		memcpy(ctx->key, key, len);
		ctx->flags |= CTX_HAS_KEY | CTX_TOKEN_V2;
		break;

	snprintf(header, sizeof(header), "Authorization: Bearer %s", token);
	headers = curl_slist_append(headers, header);
	curl_easy_setopt(curl, CURLOPT_USERPWD, credentials);
	curl_easy_setopt(curl, CURLOPT_URL, "https://api.example.com/v2/access-token");
	curl_easy_setopt(curl, CURLOPT_KEYPASSWD, key_passphrase);

/**
 * user_profile_set_credentials - use @user and @password for later requests
 * @s: the session
 * @user: name of the user, at most 255 bytes
 * @password: its password; copied, and zeroed by user_profile_free()
 *
 * Return: 0, or a negative errno.
 */
int user_profile_set_credentials(struct user_profile_session *s, const char *user, const char *password);

static const struct option long_options[] = {
	{ "password-file", required_argument, NULL, 'p' },
	{ "token",         required_argument, NULL, 't' },
	{ "api-key",       required_argument, NULL, 'k' },
	{ "secret-name",   required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

	/* The key schedule; see FIPS 197, section 5.2. */
	static const uint32_t rcon[] = {
		0x01000000, 0x02000000, 0x04000000, 0x08000000, 0x10000000,
		0x20000000, 0x40000000, 0x80000000, 0x1b000000, 0x36000000,
	};
	static const uint8_t private_channel_magic[16] = {
		0x4f, 0xf6, 0x3c, 0x40, 0x34, 0x7c, 0x10, 0xaf,
		0x6d, 0x5d, 0x61, 0x7f, 0xc0, 0x24, 0x6d, 0x46,
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
