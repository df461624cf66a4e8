-- A version that is retired has neither its data key nor its ciphertext any more.
CREATE TABLE secret_versions (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    state TEXT NOT NULL CHECK (state IN ('active', 'retired')),
    alg TEXT NOT NULL,
    wrapped_dek TEXT,
    nonce BLOB,
    ciphertext BLOB,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    retired_at INTEGER,
    PRIMARY KEY (tenant_id, name, version),
    FOREIGN KEY (tenant_id, name) REFERENCES secrets (tenant_id, name),
    CHECK ((state = 'active') = (wrapped_dek IS NOT NULL)),
    CHECK ((state = 'active') = (nonce IS NOT NULL AND length(nonce) = 12)),
    CHECK ((state = 'active') = (ciphertext IS NOT NULL)),
    CHECK ((state = 'retired') = (retired_at IS NOT NULL))
) STRICT;
