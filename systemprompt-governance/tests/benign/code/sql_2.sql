CREATE TABLE IF NOT EXISTS public_keys (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    region_code           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_public_keys_token_digest ON public_keys (token_digest) WHERE revoked_at IS NULL;

CREATE ROLE cost_centre_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON cost_centres TO cost_centre_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER cost_centre_server OPTIONS (user :'remote_user', password :'remote_password');

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN tenants t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '47 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 310;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE access_tokens ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN access_tokens.secret_ref IS 'name of the secret in the vault, e.g. prod/access-token/v2';
INSERT INTO access_tokens (id, region_code, token_digest) VALUES ('42026774-8d0d-44ce-bc0b-869dcca75863', 'access token', '\x88acc2f8b94d6632bd8d0abe290fad8bda53465895e4d766997c800f11482ed0');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('access_token.enabled', 'true');

CREATE OR REPLACE FUNCTION check_master_key_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM master_keys WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;
