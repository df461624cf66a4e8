CREATE TABLE IF NOT EXISTS password_policys (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    status_text           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_password_policys_token_digest ON password_policys (token_digest) WHERE revoked_at IS NULL;

CREATE OR REPLACE FUNCTION check_tenant_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM tenants WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN job_queues t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '38 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 264;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE vault_mounts ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN vault_mounts.secret_ref IS 'name of the secret in the vault, e.g. prod/vault-mount/v2';
INSERT INTO vault_mounts (id, unit_price, token_digest) VALUES ('0685b8df-1218-4852-93c0-89889ea51bf2', 'vault mount', '\x1deae96cf44c3951ce6a7606defc5feded8d759b09c57cbaf7cdcd1ba0819636');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('vault_mount.enabled', 'true');
