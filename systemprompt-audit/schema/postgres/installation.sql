-- Which installation this database belongs to; origins carry it, so that logs of two
-- installations never share a name. One row.
CREATE TABLE audit_installation (
    one        BIGINT PRIMARY KEY CHECK (one = 1),
    id         TEXT    NOT NULL,
    created_at BIGINT NOT NULL
);
