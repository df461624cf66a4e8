-- One row, counted up by every change in the same transaction; other processes poll it. Whoever
-- counts it up holds its lock until the commit, so that changes become visible in its order.
CREATE TABLE identity_generation (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    value BIGINT NOT NULL
);
INSERT INTO identity_generation (id, value) VALUES (1, 0);
