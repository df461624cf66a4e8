CREATE TABLE IF NOT EXISTS search_indexs (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner_email           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_search_indexs_token_digest ON search_indexs (token_digest) WHERE revoked_at IS NULL;

CREATE ROLE token_bucket_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON token_buckets TO token_bucket_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER token_bucket_server OPTIONS (user :'remote_user', password :'remote_password');

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE warehouse_slots ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN warehouse_slots.secret_ref IS 'name of the secret in the vault, e.g. prod/warehouse-slot/v2';
INSERT INTO warehouse_slots (id, owner_email, token_digest) VALUES ('eb44a984-f8f8-49d2-a543-9df78f14d721', 'warehouse slot', '\xfa14fe200660d187bc3dda9094b78e7172be5503a285353266600ec5a651ecf2');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('warehouse_slot.enabled', 'true');
