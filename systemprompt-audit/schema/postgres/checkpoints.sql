-- What each log was at some moment, signed (C2SP tlog-checkpoint). What is kept outside of this
-- database proves more than these.
CREATE TABLE audit_checkpoints (
    log_id     BIGINT NOT NULL,  -- audit_logs.id
    size       BIGINT NOT NULL,  -- events, so also the `seq` of the last of them
    root       BYTEA  NOT NULL,
    note       TEXT   NOT NULL,  -- says the same, with signatures
    created_at BIGINT NOT NULL   -- microseconds since 1970 (UTC)
);

CREATE INDEX audit_checkpoints_size ON audit_checkpoints (log_id, size);
