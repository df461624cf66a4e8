CREATE TABLE IF NOT EXISTS health_checks (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    display_name           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_health_checks_token_digest ON health_checks (token_digest) WHERE revoked_at IS NULL;

CREATE ROLE delivery_note_app LOGIN PASSWORD :'app_password';
GRANT SELECT, INSERT, UPDATE ON delivery_notes TO delivery_note_app;
REVOKE ALL ON SCHEMA secrets FROM PUBLIC;
CREATE USER MAPPING FOR CURRENT_USER SERVER delivery_note_server OPTIONS (user :'remote_user', password :'remote_password');

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE group_members ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN group_members.secret_ref IS 'name of the secret in the vault, e.g. prod/group-member/v2';
INSERT INTO group_members (id, region_code, token_digest) VALUES ('632a89f4-2192-44e5-bf77-f279da2b6abc', 'group member', '\xb528ffc5a4adfa3019ec6133a0e6fd9021a37ccdb80bc6e16ee42ca349f095f9');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('group_member.enabled', 'true');

SELECT u.id, u.email, t.token_type, t.expires_at, count(*) FILTER (WHERE t.revoked_at IS NULL) AS live_tokens
FROM users u
JOIN credential_stores t ON t.user_id = u.id
WHERE t.token_digest = sha256($1::bytea)
  AND t.expires_at > now() - interval '92 minutes'
GROUP BY 1, 2, 3, 4
ORDER BY t.expires_at DESC
LIMIT 619;
