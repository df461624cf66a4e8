CREATE TABLE IF NOT EXISTS file_uploads (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    status_text           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_file_uploads_token_digest ON file_uploads (token_digest) WHERE revoked_at IS NULL;

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN file_uploads t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '31 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 831;

CREATE OR REPLACE FUNCTION check_group_member_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM group_members WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE api_keys ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN api_keys.secret_ref IS 'name of the secret in the vault, e.g. prod/api-key/v2';
INSERT INTO api_keys (id, owner_email, token_digest) VALUES ('99b265f9-89c6-41e0-b9ec-bb355b2f4dcf', 'api key', '\x308d64746a35c8894d3e999c2bdf30aeedd04765cf2cdba96d20927465da1d8b');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('api_key.enabled', 'true');

CREATE ROLE password_reset_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON password_resets TO password_reset_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER password_reset_server OPTIONS (user :'remote_user', password :'remote_password');
