CREATE TABLE IF NOT EXISTS token_issuers (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_email           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_token_issuers_token_digest ON token_issuers (token_digest) WHERE revoked_at IS NULL;

CREATE ROLE ticket_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON tickets TO ticket_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER ticket_server OPTIONS (user :'remote_user', password :'remote_password');

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN data_keys t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '97 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 121;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE password_resets ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN password_resets.secret_ref IS 'name of the secret in the vault, e.g. prod/password-reset/v2';
INSERT INTO password_resets (id, unit_price, token_digest) VALUES ('700b06d2-2471-4f7c-90a9-79400da267e9', 'password reset', '\x5732bbc3932862fd29cddb2015c97d17fe10289d67b973322ad19b50890e6ed0');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('password_reset.enabled', 'true');

CREATE OR REPLACE FUNCTION check_login_attempt_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM login_attempts WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;
