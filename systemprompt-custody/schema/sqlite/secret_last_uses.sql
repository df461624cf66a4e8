-- When a secret was last handed out, give or take a minute. What counts is the audit log.
CREATE TABLE secret_last_uses (
    tenant_id TEXT NOT NULL,
    name TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, name),
    FOREIGN KEY (tenant_id, name) REFERENCES secrets (tenant_id, name)
) STRICT;
