CREATE TABLE IF NOT EXISTS mail_templates (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    locale           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_mail_templates_token_digest ON mail_templates (token_digest) WHERE revoked_at IS NULL;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE client_secrets ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN client_secrets.secret_ref IS 'name of the secret in the vault, e.g. prod/client-secret/v2';
INSERT INTO client_secrets (id, colour, token_digest) VALUES ('95ddc239-a8fa-4c3d-a6c2-672756321e88', 'client secret', '\xd3a71a1683788f0a0aa7174a0f5c5b27e08716a1bc1510c645d3f27f2d77be35');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('client_secret.enabled', 'true');

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN stock_levels t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '21 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 460;

CREATE OR REPLACE FUNCTION check_report_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM reports WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;
