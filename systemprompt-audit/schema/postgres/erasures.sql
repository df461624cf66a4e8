-- The pseudonyms of persons who were erased: nothing says any more who they were.
CREATE TABLE audit_erasures (
    number    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pseudonym TEXT    NOT NULL,
    erased_at BIGINT  NOT NULL
);
