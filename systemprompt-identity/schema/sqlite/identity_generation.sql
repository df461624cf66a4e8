-- One row, counted up by every change in the same transaction; other processes poll it.
CREATE TABLE identity_generation (
    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    value INTEGER NOT NULL
) STRICT;
INSERT INTO identity_generation (id, value) VALUES (1, 0);
