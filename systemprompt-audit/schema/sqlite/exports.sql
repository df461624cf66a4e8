-- How far each sink has come: every event of the log up to `seq` has arrived there.
CREATE TABLE audit_exports (
    sink       TEXT    NOT NULL,
    log_id     INTEGER NOT NULL,  -- audit_logs.id
    seq        INTEGER NOT NULL,
    noted_at   INTEGER NOT NULL,
    PRIMARY KEY (sink, log_id)
) STRICT, WITHOUT ROWID;
