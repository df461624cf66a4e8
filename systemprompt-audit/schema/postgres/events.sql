-- The audit log. Append-only; the views give readable forms.
-- Instants are microseconds since 1970 (UTC); ids are the 16 bytes of a UUID or trace id; digests are
-- 32 bytes of SHA-256. PostgreSQL has no text with a NUL: in text columns NUL is U+001A `0`, and U+001A
-- is U+001A `1`. Texts are compared byte by byte ("C"), as SQLite does it: a fraction of what a language's
-- order costs, and no index depends on the version of a library.
CREATE TABLE audit_events (
    log_id           BIGINT  NOT NULL,  -- audit_logs.id
    seq              BIGINT  NOT NULL,  -- 1, 2, 3, ... without a gap in each log
    id               BYTEA   NOT NULL,
    kind             TEXT COLLATE "C" NOT NULL,
    occurred_at      BIGINT  NOT NULL,
    trace_id         BYTEA   NOT NULL,
    call_id          TEXT COLLATE "C",
    session_id       TEXT COLLATE "C",
    context_id       TEXT COLLATE "C",
    task_id          TEXT COLLATE "C",
    tenant_id        TEXT COLLATE "C",
    user_id          TEXT COLLATE "C",
    department       TEXT COLLATE "C",
    credential_id    TEXT COLLATE "C",
    actor_chain      TEXT COLLATE "C",  -- JSON array, outermost first; NULL when empty
    agent_id         TEXT COLLATE "C",
    plugin_id        TEXT COLLATE "C",
    door             TEXT COLLATE "C",
    user_agent       TEXT COLLATE "C",
    client_addr      TEXT COLLATE "C",
    server           TEXT COLLATE "C",
    tool             TEXT COLLATE "C",
    arguments_digest BYTEA,
    arguments_bytes  BIGINT,
    call_digest      BYTEA,
    decision         TEXT COLLATE "C",
    reason_code      TEXT COLLATE "C",
    reason           TEXT COLLATE "C",
    reason_data      TEXT COLLATE "C",  -- JSON object
    -- JSON: [[[check, outcome, nanoseconds, detail?], ..], [[limit, remaining, milliseconds], ..]]
    evaluation       TEXT COLLATE "C",
    policy_version   TEXT COLLATE "C",
    duration_us      BIGINT,
    permit_id        BYTEA,              -- of a decision: NULL when it is the event's own id
    expires_at       BIGINT,
    status           TEXT COLLATE "C",
    duration_ms      BIGINT,
    result_bytes     BIGINT,
    result_digest    BYTEA,
    error            TEXT COLLATE "C",
    detail           TEXT COLLATE "C",  -- JSON object
    salt             BYTEA   NOT NULL,
    leaf_hash        BYTEA   NOT NULL
);

CREATE UNIQUE INDEX audit_events_position ON audit_events (log_id, seq);
CREATE UNIQUE INDEX audit_events_id ON audit_events (id);
CREATE UNIQUE INDEX audit_events_outcome ON audit_events (permit_id) WHERE kind = 'outcome';
CREATE INDEX audit_events_trace ON audit_events (trace_id, occurred_at);
-- Events about keys, which verification begins with. There are few of them.
CREATE INDEX audit_events_keys ON audit_events (log_id, seq)
    WHERE kind IN ('audit_key_added', 'audit_key_retired');

-- What people search by, newest first. Hook clients report outcomes by call id, too.
CREATE INDEX audit_events_time ON audit_events (occurred_at, log_id, seq);
CREATE INDEX audit_events_call ON audit_events (call_id, occurred_at, log_id, seq)
    WHERE call_id IS NOT NULL;
CREATE INDEX audit_events_session ON audit_events (session_id, occurred_at, log_id, seq)
    WHERE session_id IS NOT NULL;
CREATE INDEX audit_events_user ON audit_events (user_id, occurred_at, log_id, seq)
    WHERE user_id IS NOT NULL;
CREATE INDEX audit_events_agent ON audit_events (agent_id, occurred_at, log_id, seq)
    WHERE agent_id IS NOT NULL;
CREATE INDEX audit_events_tool ON audit_events (tool, occurred_at, log_id, seq)
    WHERE tool IS NOT NULL;
CREATE INDEX audit_events_tenant ON audit_events (tenant_id, occurred_at, log_id, seq)
    WHERE tenant_id IS NOT NULL;
CREATE INDEX audit_events_reason ON audit_events (reason_code, occurred_at, log_id, seq)
    WHERE reason_code IS NOT NULL;
CREATE INDEX audit_events_not_allowed ON audit_events (decision, occurred_at, log_id, seq)
    WHERE decision <> 'allow';
CREATE INDEX audit_events_rare ON audit_events (kind, occurred_at, log_id, seq)
    WHERE kind NOT IN ('decision', 'outcome');
