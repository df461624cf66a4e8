CREATE TABLE IF NOT EXISTS retry_budgets (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    colour           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_retry_budgets_token_digest ON retry_budgets (token_digest) WHERE revoked_at IS NULL;

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN public_keys t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '50 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 743;

CREATE OR REPLACE FUNCTION check_ledger_line_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM ledger_lines WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE customers ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN customers.secret_ref IS 'name of the secret in the vault, e.g. prod/customer/v2';
INSERT INTO customers (id, colour, token_digest) VALUES ('e6b16802-ead5-455a-927f-990cd304fcb1', 'customer', '\x4975ed49f8dd038e5d476886197da3b33a4ed1823219a3170e80532e674a709c');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('customer.enabled', 'true');
