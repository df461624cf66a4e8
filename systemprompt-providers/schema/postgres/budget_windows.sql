-- What is used of the budgets of a key in a window. Instants are microseconds since the Unix epoch.
-- Rows are updated all the time: free space in the pages keeps the indexes out of it.
CREATE TABLE budget_windows (
    cap_key TEXT NOT NULL,
    window_s BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    settled_microdollars BIGINT NOT NULL CHECK (settled_microdollars >= 0),
    held_microdollars BIGINT NOT NULL CHECK (held_microdollars >= 0),
    settled_tokens BIGINT NOT NULL CHECK (settled_tokens >= 0),
    held_tokens BIGINT NOT NULL CHECK (held_tokens >= 0),
    keep_until BIGINT NOT NULL,
    PRIMARY KEY (cap_key, window_s, starts_at)
) WITH (fillfactor = 50);
CREATE INDEX budget_windows_by_end ON budget_windows (keep_until);
