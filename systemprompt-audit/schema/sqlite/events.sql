-- The audit log. Append-only; the views give readable forms.
-- Instants are microseconds since 1970 (UTC); ids are the 16 bytes of a UUID or trace id; digests are
-- 32 bytes of SHA-256.
CREATE TABLE audit_events (
    log_id           INTEGER NOT NULL,  -- audit_logs.id
    seq              INTEGER NOT NULL,  -- 1, 2, 3, ... without a gap in each log
    id               BLOB    NOT NULL,
    kind             TEXT    NOT NULL,
    occurred_at      INTEGER NOT NULL,
    trace_id         BLOB    NOT NULL,
    call_id          TEXT,
    session_id       TEXT,
    context_id       TEXT,
    task_id          TEXT,
    tenant_id        TEXT,
    user_id          TEXT,
    department       TEXT,
    credential_id    TEXT,
    actor_chain      TEXT,              -- JSON array, outermost first; NULL when empty
    agent_id         TEXT,
    plugin_id        TEXT,
    door             TEXT,
    user_agent       TEXT,
    client_addr      TEXT,
    server           TEXT,
    tool             TEXT,
    arguments_digest BLOB,
    arguments_bytes  INTEGER,
    call_digest      BLOB,
    decision         TEXT,
    reason_code      TEXT,
    reason           TEXT,
    reason_data      TEXT,              -- JSON object
    -- JSON: [[[check, outcome, nanoseconds, detail?], ..], [[limit, remaining, milliseconds], ..]]
    evaluation       TEXT,
    policy_version   TEXT,
    duration_us      INTEGER,
    permit_id        BLOB,              -- of a decision: NULL when it is the event's own id
    expires_at       INTEGER,
    status           TEXT,
    duration_ms      INTEGER,
    result_bytes     INTEGER,
    result_digest    BLOB,
    error            TEXT,
    detail           TEXT,              -- JSON object
    salt             BLOB    NOT NULL,
    leaf_hash        BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX audit_events_position ON audit_events (log_id, seq);
CREATE UNIQUE INDEX audit_events_id ON audit_events (id);
CREATE UNIQUE INDEX audit_events_outcome ON audit_events (permit_id) WHERE kind = 'outcome';
CREATE INDEX audit_events_trace ON audit_events (trace_id, occurred_at);
CREATE INDEX audit_events_time ON audit_events (occurred_at, log_id, seq);
CREATE INDEX audit_events_ai_request ON audit_events (occurred_at) WHERE kind = 'ai_request';
-- Clients of hooks and models report outcomes by call id; those of the other doors by permit.
CREATE INDEX audit_events_call ON audit_events (call_id, occurred_at)
    WHERE kind = 'decision' AND door IN ('hook', 'gateway');
