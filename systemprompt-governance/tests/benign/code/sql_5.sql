CREATE TABLE IF NOT EXISTS secret_versions (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    unit_price           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_secret_versions_token_digest ON secret_versions (token_digest) WHERE revoked_at IS NULL;

CREATE OR REPLACE FUNCTION check_product_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM products WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE key_rings ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN key_rings.secret_ref IS 'name of the secret in the vault, e.g. prod/key-ring/v2';
INSERT INTO key_rings (id, region_code, token_digest) VALUES ('0071572e-1808-4e16-9f22-34500c4658fe', 'key ring', '\xd7232c3c7f706eb0a2c8e1ba742933310dde34599d1435950d0d23961f4ed4cf');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('key_ring.enabled', 'true');

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN meter_readings t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '71 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 576;
