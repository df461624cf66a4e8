-- What requests hold, and for a while what has become of it. `charges` are the windows it is held in,
-- with the limits that it was reserved under.
CREATE TABLE budget_reservations (
    id BYTEA PRIMARY KEY CHECK (octet_length(id) = 16),
    state TEXT NOT NULL CHECK (state IN ('open', 'settled', 'released', 'expired')),
    microdollars BIGINT NOT NULL,
    tokens BIGINT NOT NULL,
    charges TEXT NOT NULL CHECK (json_typeof(charges::json) = 'array'),
    timeout_us BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    keep_until BIGINT NOT NULL
);
CREATE INDEX budget_reservations_by_deadline ON budget_reservations (deadline) WHERE state = 'open';
CREATE INDEX budget_reservations_by_end ON budget_reservations (keep_until) WHERE state <> 'open';
