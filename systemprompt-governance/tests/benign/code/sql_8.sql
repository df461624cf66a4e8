CREATE TABLE IF NOT EXISTS cache_entrys (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    external_ref           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_cache_entrys_token_digest ON cache_entrys (token_digest) WHERE revoked_at IS NULL;

CREATE ROLE shipment_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON shipments TO shipment_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER shipment_server OPTIONS (user :'remote_user', password :'remote_password');

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN shipments t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '94 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 844;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE login_attempts ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN login_attempts.secret_ref IS 'name of the secret in the vault, e.g. prod/login-attempt/v2';
INSERT INTO login_attempts (id, currency, token_digest) VALUES ('71c172b5-9b12-4402-b9de-931a3a783356', 'login attempt', '\x5a188c1b4fcff35d56aa5b3d037984cd0bc8007753e8068efda3fde379c7e167');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('login_attempt.enabled', 'true');
