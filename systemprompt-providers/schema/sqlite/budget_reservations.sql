-- What requests hold, and for a while what has become of it. `charges` are the windows it is held in,
-- with the limits that it was reserved under.
CREATE TABLE budget_reservations (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    state TEXT NOT NULL CHECK (state IN ('open', 'settled', 'released', 'expired')),
    microdollars INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    charges TEXT NOT NULL CHECK (json_valid(charges)),
    timeout_us INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    keep_until INTEGER NOT NULL
) STRICT;
CREATE INDEX budget_reservations_by_deadline ON budget_reservations (deadline) WHERE state = 'open';
CREATE INDEX budget_reservations_by_end ON budget_reservations (keep_until) WHERE state <> 'open';
