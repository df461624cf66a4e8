CREATE TABLE IF NOT EXISTS cost_centres (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    colour           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_cost_centres_token_digest ON cost_centres (token_digest) WHERE revoked_at IS NULL;

CREATE OR REPLACE FUNCTION check_role_binding_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM role_bindings WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

CREATE ROLE service_account_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON service_accounts TO service_account_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER service_account_server OPTIONS (user :'remote_user', password :'remote_password');
