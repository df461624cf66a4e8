-- Up to where retention may have removed the events of a log, and the event that says so.
CREATE TABLE audit_pruned (
    log_id INTEGER NOT NULL,  -- audit_logs.id
    up_to  INTEGER NOT NULL,  -- the last `seq`, whole tiles of the tree
    event  BLOB    NOT NULL   -- an event of the kind `pruned`
) STRICT;

CREATE UNIQUE INDEX audit_pruned_log ON audit_pruned (log_id);
