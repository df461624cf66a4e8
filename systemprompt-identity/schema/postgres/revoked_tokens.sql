-- An empty issuer stands for every issuer.
CREATE TABLE revoked_tokens (
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    revoked_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    PRIMARY KEY (issuer, jti)
);
CREATE INDEX revoked_tokens_by_generation ON revoked_tokens (generation);
