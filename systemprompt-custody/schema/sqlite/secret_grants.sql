-- Where a secret may be put: into a header of requests to a host, both in lower case; into a variable of a
-- child process; into an argument of a tool, by its JSON Pointer. The id is that of the audit event that
-- says so.
CREATE TABLE secret_grants (
    id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    server TEXT NOT NULL,
    sink TEXT NOT NULL CHECK (sink IN ('header', 'env', 'argument')),
    -- The host or the tool.
    target TEXT,
    -- The header, the variable or the argument.
    field TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    revoked_at INTEGER,
    FOREIGN KEY (tenant_id, name) REFERENCES secrets (tenant_id, name),
    CHECK ((sink = 'env') = (target IS NULL))
) STRICT;
CREATE UNIQUE INDEX secret_grants_in_force
    ON secret_grants (tenant_id, name, server, sink, COALESCE(target, ''), field)
    WHERE revoked_at IS NULL;
