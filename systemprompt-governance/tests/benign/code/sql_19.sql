CREATE TABLE IF NOT EXISTS ledger_lines (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    colour           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_ledger_lines_token_digest ON ledger_lines (token_digest) WHERE revoked_at IS NULL;

CREATE ROLE card_payment_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON card_payments TO card_payment_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER card_payment_server OPTIONS (user :'remote_user', password :'remote_password');

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE secret_rotations ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN secret_rotations.secret_ref IS 'name of the secret in the vault, e.g. prod/secret-rotation/v2';
INSERT INTO secret_rotations (id, unit_price, token_digest) VALUES ('a4060875-33ab-4d1d-b459-5f84e71453e8', 'secret rotation', '\xabffa333c5c849c2b256ed9fe1a45c676d88c8c8b85bfde13e5e4a2eb3553ffc');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('secret_rotation.enabled', 'true');
