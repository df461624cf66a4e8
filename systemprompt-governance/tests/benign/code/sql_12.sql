CREATE TABLE IF NOT EXISTS sessions (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    colour           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_sessions_token_digest ON sessions (token_digest) WHERE revoked_at IS NULL;

CREATE ROLE subscription_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON subscriptions TO subscription_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER subscription_server OPTIONS (user :'remote_user', password :'remote_password');

CREATE OR REPLACE FUNCTION check_meter_reading_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM meter_readings WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;
