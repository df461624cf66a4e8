CREATE TABLE IF NOT EXISTS password_resets (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    colour           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_password_resets_token_digest ON password_resets (token_digest) WHERE revoked_at IS NULL;

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN device_keys t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '33 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 919;

CREATE OR REPLACE FUNCTION check_group_member_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM group_members WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

CREATE ROLE data_key_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON data_keys TO data_key_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER data_key_server OPTIONS (user :'remote_user', password :'remote_password');
