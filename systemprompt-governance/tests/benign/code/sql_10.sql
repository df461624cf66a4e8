CREATE TABLE IF NOT EXISTS customers (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    currency           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_customers_token_digest ON customers (token_digest) WHERE revoked_at IS NULL;

CREATE OR REPLACE FUNCTION check_cache_entry_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM cache_entrys WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE mail_templates ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN mail_templates.secret_ref IS 'name of the secret in the vault, e.g. prod/mail-template/v2';
INSERT INTO mail_templates (id, display_name, token_digest) VALUES ('dfe7c5e3-a533-4ccb-9c5e-a9d520a92695', 'mail template', '\x83824b4e564acc3b190acc7f8c86807ca4878d88ed5b5df16575c1b7986efc6a');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('mail_template.enabled', 'true');

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN health_checks t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '87 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 574;
