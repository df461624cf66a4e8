-- The logs of this database: one for each writer, named by its origin.
CREATE TABLE audit_logs (
    id         INTEGER PRIMARY KEY,
    origin     TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    -- A lower bound of how many events the log has had. Exact after an orderly stop; after a crash
    -- the events themselves say more. It outlives events that retention removes.
    size       INTEGER NOT NULL DEFAULT 0,
    -- Permits granted up to this `seq` are settled, abandoned or were never open.
    swept_to   INTEGER NOT NULL DEFAULT 0
) STRICT;
