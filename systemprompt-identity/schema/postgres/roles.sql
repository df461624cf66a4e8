CREATE TABLE roles (
    id TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL
);
