-- Up to where retention may have removed the events of a log, and the event that says so.
CREATE TABLE audit_pruned (
    log_id BIGINT  NOT NULL,  -- audit_logs.id
    up_to  BIGINT  NOT NULL,  -- the last `seq`, whole tiles of the tree
    event  BYTEA   NOT NULL   -- an event of the kind `pruned`
);

CREATE UNIQUE INDEX audit_pruned_log ON audit_pruned (log_id);
