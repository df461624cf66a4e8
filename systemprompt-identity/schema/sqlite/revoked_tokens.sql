-- An empty issuer stands for every issuer.
CREATE TABLE revoked_tokens (
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    revoked_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    PRIMARY KEY (issuer, jti)
) STRICT;
CREATE INDEX revoked_tokens_by_generation ON revoked_tokens (generation);
