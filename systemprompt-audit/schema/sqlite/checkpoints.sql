-- What each log was at some moment, signed (C2SP tlog-checkpoint). What is kept outside of this
-- database proves more than these.
CREATE TABLE audit_checkpoints (
    log_id     INTEGER NOT NULL,  -- audit_logs.id
    size       INTEGER NOT NULL,  -- events, so also the `seq` of the last of them
    root       BLOB    NOT NULL,
    note       TEXT    NOT NULL,  -- says the same, with signatures
    created_at INTEGER NOT NULL   -- microseconds since 1970 (UTC)
) STRICT;

CREATE INDEX audit_checkpoints_size ON audit_checkpoints (log_id, size);
