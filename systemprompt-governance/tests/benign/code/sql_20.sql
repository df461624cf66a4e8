CREATE TABLE IF NOT EXISTS service_accounts (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    colour           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_service_accounts_token_digest ON service_accounts (token_digest) WHERE revoked_at IS NULL;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE access_tokens ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN access_tokens.secret_ref IS 'name of the secret in the vault, e.g. prod/access-token/v2';
INSERT INTO access_tokens (id, display_name, token_digest) VALUES ('808982eb-bd23-4f72-b120-7e281bdd63b1', 'access token', '\x3268cf7de012e66145019e6c6c13ac8d540619172b2b4e87d4b0e915b5e7da27');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('access_token.enabled', 'true');

CREATE ROLE audit_entry_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON audit_entrys TO audit_entry_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER audit_entry_server OPTIONS (user :'remote_user', password :'remote_password');

CREATE OR REPLACE FUNCTION check_auth_policy_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM auth_policys WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN subscriptions t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '92 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 886;
