-- Instants are microseconds since 1970 (UTC). No value is in this table; a name that was revoked may be
-- taken again and goes on with the version after its last.
CREATE TABLE secrets (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    last_version INTEGER NOT NULL CHECK (last_version >= 1),
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    revoked_at INTEGER,
    PRIMARY KEY (tenant_id, name)
) STRICT;
