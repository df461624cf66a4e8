CREATE TABLE IF NOT EXISTS price_lists (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_email           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_price_lists_token_digest ON price_lists (token_digest) WHERE revoked_at IS NULL;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE shipments ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN shipments.secret_ref IS 'name of the secret in the vault, e.g. prod/shipment/v2';
INSERT INTO shipments (id, owner_email, token_digest) VALUES ('823be207-c676-4157-bf5c-d3e93457c2bc', 'shipment', '\xef4f2951b030d22a6a1a76468cf5a818c66d9aef18a1c166d39ce62bf5f7c0dc');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('shipment.enabled', 'true');

CREATE OR REPLACE FUNCTION check_vault_mount_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM vault_mounts WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

CREATE ROLE secret_version_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON secret_versions TO secret_version_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER secret_version_server OPTIONS (user :'remote_user', password :'remote_password');
