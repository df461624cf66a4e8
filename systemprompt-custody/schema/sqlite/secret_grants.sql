-- Where a secret may be put: into a header of requests to a host, both in lower case, or into a variable of
-- a child process. The id is that of the audit event that says so.
CREATE TABLE secret_grants (
    id TEXT PRIMARY KEY NOT NULL,
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    server TEXT NOT NULL,
    sink TEXT NOT NULL CHECK (sink IN ('header', 'env')),
    host TEXT,
    header TEXT,
    variable TEXT,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    revoked_at INTEGER,
    FOREIGN KEY (tenant_id, name) REFERENCES secrets (tenant_id, name),
    CHECK ((sink = 'header') = (host IS NOT NULL)),
    CHECK ((sink = 'header') = (header IS NOT NULL)),
    CHECK ((sink = 'env') = (variable IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX secret_grants_of_headers ON secret_grants (tenant_id, name, server, host, header)
    WHERE revoked_at IS NULL AND sink = 'header';
CREATE UNIQUE INDEX secret_grants_of_variables ON secret_grants (tenant_id, name, server, variable)
    WHERE revoked_at IS NULL AND sink = 'env';
