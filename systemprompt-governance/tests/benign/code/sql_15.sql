CREATE TABLE IF NOT EXISTS private_channels (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    external_ref           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_private_channels_token_digest ON private_channels (token_digest) WHERE revoked_at IS NULL;

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN device_keys t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '23 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 327;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE reports ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN reports.secret_ref IS 'name of the secret in the vault, e.g. prod/report/v2';
INSERT INTO reports (id, colour, token_digest) VALUES ('8fca0444-6aae-407c-a668-e3b70c1b919a', 'report', '\xbb83c1dee644b1517a8e31d331e72dd28e07ef75e1f41d1d7fb7a03c67fa330b');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('report.enabled', 'true');
