-- The search index of an audit log, in a file of its own beside the database, so that filling it never
-- holds up the log's writer. All of it is made from the events and can be made again.

-- How far each log is in the index, and which event stands there: an index that was made from another
-- database does not pass for this one's.
CREATE TABLE audit_index_logs (
    log_id     INTEGER PRIMARY KEY,  -- audit_logs.id
    indexed_to INTEGER NOT NULL,     -- the last `seq` that is in the index
    last_id    BLOB    NOT NULL      -- the id of the event there
) STRICT;

-- Runs of events that entered the index one after the other. Only the newest one grows, so that what is
-- written lies close together however large the index is.
CREATE TABLE audit_index_segments (
    id     INTEGER PRIMARY KEY,
    events INTEGER NOT NULL,
    oldest INTEGER NOT NULL,         -- the smallest `occurred_at`
    newest INTEGER NOT NULL          -- the largest
) STRICT;

-- Where the events with a property stand: a few neighbours of one log in a row, because the terms that
-- most events have would be most of the index otherwise. A term is a hash of the property; two that share
-- one cost time and nothing else, because the event itself is asked again.
CREATE TABLE audit_index_postings (
    segment INTEGER NOT NULL,
    term    INTEGER NOT NULL,
    newest  INTEGER NOT NULL,        -- `occurred_at` of the newest of them
    log_id  INTEGER NOT NULL,
    seq     INTEGER NOT NULL,        -- its place
    events  INTEGER NOT NULL,        -- how many they are
    others  BLOB    NOT NULL,        -- the others, each by how it differs from the one after it
    PRIMARY KEY (segment, term, newest, log_id, seq)
) STRICT, WITHOUT ROWID;
