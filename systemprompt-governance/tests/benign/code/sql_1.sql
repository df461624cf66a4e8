CREATE TABLE IF NOT EXISTS grants (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    status_text           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_grants_token_digest ON grants (token_digest) WHERE revoked_at IS NULL;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE secret_rotations ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN secret_rotations.secret_ref IS 'name of the secret in the vault, e.g. prod/secret-rotation/v2';
INSERT INTO secret_rotations (id, status_text, token_digest) VALUES ('e3f58be7-624d-4d4b-808d-e8e958fddc6c', 'secret rotation', '\x0feb84a649442ef71e2bef9e697cc6b52cd9656ecff2b08c54229280cabe8480');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('secret_rotation.enabled', 'true');

CREATE OR REPLACE FUNCTION check_client_secret_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM client_secrets WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

CREATE ROLE price_list_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON price_lists TO price_list_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER price_list_server OPTIONS (user :'remote_user', password :'remote_password');
