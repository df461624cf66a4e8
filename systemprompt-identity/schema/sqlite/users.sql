CREATE TABLE users (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    id TEXT NOT NULL,
    email TEXT,
    roles TEXT NOT NULL CHECK (json_valid(roles)),
    department_id TEXT,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    generation INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, department_id) REFERENCES departments (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX users_by_email ON users (tenant_id, email) WHERE email IS NOT NULL;
CREATE INDEX users_by_generation ON users (generation);
