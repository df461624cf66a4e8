-- The pseudonyms of persons who were erased: nothing says any more who they were.
CREATE TABLE audit_erasures (
    number    INTEGER PRIMARY KEY,
    pseudonym TEXT    NOT NULL,
    erased_at INTEGER NOT NULL
) STRICT;
