CREATE TABLE IF NOT EXISTS sessions (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    locale           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_sessions_token_digest ON sessions (token_digest) WHERE revoked_at IS NULL;

CREATE OR REPLACE FUNCTION check_service_account_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM service_accounts WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE api_keys ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN api_keys.secret_ref IS 'name of the secret in the vault, e.g. prod/api-key/v2';
INSERT INTO api_keys (id, unit_price, token_digest) VALUES ('b0c7c94c-d06e-4e45-9e98-8d085720ccb6', 'api key', '\x2ff9e8580b51ce0ee9eb2aa57d92e27ca96bd4ce2dfca04f9b907dd1dbb5cd41');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('api_key.enabled', 'true');

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN user_profiles t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '85 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 307;
