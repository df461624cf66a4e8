-- What shows that a grant was made here: for each version of the secret that it covers, a tag under the data
-- key of that version. A grant without the tag of a version does not cover it.
CREATE TABLE secret_grant_tags (
    grant_id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    tag BLOB NOT NULL,
    PRIMARY KEY (grant_id, version),
    FOREIGN KEY (grant_id) REFERENCES secret_grants (id)
) STRICT;
