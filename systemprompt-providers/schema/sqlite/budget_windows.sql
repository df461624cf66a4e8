-- What is used of the budgets of a key in a window. Instants are microseconds since the Unix epoch.
CREATE TABLE budget_windows (
    cap_key TEXT NOT NULL,
    window_s INTEGER NOT NULL,
    starts_at INTEGER NOT NULL,
    settled_microdollars INTEGER NOT NULL CHECK (settled_microdollars >= 0),
    held_microdollars INTEGER NOT NULL CHECK (held_microdollars >= 0),
    settled_tokens INTEGER NOT NULL CHECK (settled_tokens >= 0),
    held_tokens INTEGER NOT NULL CHECK (held_tokens >= 0),
    keep_until INTEGER NOT NULL,
    PRIMARY KEY (cap_key, window_s, starts_at)
) STRICT;
CREATE INDEX budget_windows_by_end ON budget_windows (keep_until);
