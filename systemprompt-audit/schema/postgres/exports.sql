-- How far each sink has come: every event of the log up to `seq` has arrived there.
CREATE TABLE audit_exports (
    sink       TEXT   NOT NULL,
    log_id     BIGINT NOT NULL,  -- audit_logs.id
    seq        BIGINT NOT NULL,
    noted_at   BIGINT NOT NULL,
    PRIMARY KEY (sink, log_id)
);
