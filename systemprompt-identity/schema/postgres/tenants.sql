-- Instants are microseconds since 1970 (UTC); sets are JSON arrays.
CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
