-- What has been installed in this database, by whom, in which order.
CREATE TABLE IF NOT EXISTS systemprompt_schema (
    owner      TEXT   NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('definition', 'migration')),
    name       TEXT   NOT NULL,
    position   BIGINT NOT NULL,
    -- SHA-256 of the SQL text, hexadecimal.
    checksum   TEXT   NOT NULL,
    -- Microseconds since the Unix epoch.
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (owner, kind, name)
);
