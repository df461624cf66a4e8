CREATE TABLE IF NOT EXISTS key_rings (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    colour           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_key_rings_token_digest ON key_rings (token_digest) WHERE revoked_at IS NULL;

CREATE ROLE user_profile_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON user_profiles TO user_profile_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER user_profile_server OPTIONS (user :'remote_user', password :'remote_password');

CREATE OR REPLACE FUNCTION check_group_member_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM group_members WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE password_policys ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN password_policys.secret_ref IS 'name of the secret in the vault, e.g. prod/password-policy/v2';
INSERT INTO password_policys (id, currency, token_digest) VALUES ('db3b9eaa-dff1-4589-974f-3104952e1db3', 'password policy', '\x9e6fe480ba6f5ed122fde34ead506eb2ee14632a9ed73c839a112c6e18c9efb4');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('password_policy.enabled', 'true');
