CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_sha256 BYTEA NOT NULL CHECK (octet_length(secret_sha256) = 32),
    scopes TEXT NOT NULL CHECK (json_typeof(scopes::json) = 'array'),
    audiences TEXT CHECK (json_typeof(audiences::json) = 'array'),
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT,
    generation BIGINT NOT NULL,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id)
);
CREATE INDEX api_keys_by_user ON api_keys (tenant_id, user_id);
CREATE INDEX api_keys_by_generation ON api_keys (generation);
