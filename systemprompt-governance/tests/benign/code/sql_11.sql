CREATE TABLE IF NOT EXISTS tenants (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    status_text           text NOT NULL,
    password_hash  text NOT NULL CHECK (length(password_hash) BETWEEN 60 AND 255),
    token_digest   bytea UNIQUE,
    api_key_prefix varchar(12),
    secret_version integer NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ix_tenants_token_digest ON tenants (token_digest) WHERE revoked_at IS NULL;

CREATE OR REPLACE FUNCTION check_team_token(token text) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT 1 FROM teams WHERE token_digest = digest(token, 'sha256') AND expires_at > now());
$$;

-- passwords are hashed by the application; this only forces a change at the next login
UPDATE users SET must_change_password = true, password_changed_at = NULL WHERE password_changed_at < now() - interval '180 days';
ALTER TABLE file_uploads ADD COLUMN password_reset_token2 text, ADD COLUMN secret_ref varchar(128);
COMMENT ON COLUMN file_uploads.secret_ref IS 'name of the secret in the vault, e.g. prod/file-upload/v2';
INSERT INTO file_uploads (id, currency, token_digest) VALUES ('28aea97f-6b9c-4e93-b458-dada67881739', 'file upload', '\xfca7ec600dcf4834a9705010e7d56b5fe4b7250ab8e446df66e1d6cffc32a0c6');
INSERT INTO settings (key, value) VALUES ('password.min_length', '12'), ('token.ttl', '15m'), ('file_upload.enabled', 'true');
