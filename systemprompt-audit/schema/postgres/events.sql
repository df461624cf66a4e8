-- The audit log. Append-only; the views give readable forms.
-- Instants are microseconds since 1970 (UTC); ids are the 16 bytes of a UUID or trace id; digests are
-- 32 bytes of SHA-256. PostgreSQL has no text with a NUL: in text columns NUL is U+001A `0`, and U+001A
-- is U+001A `1`.
CREATE TABLE audit_events (
    log_id           BIGINT  NOT NULL,  -- audit_logs.id
    seq              BIGINT  NOT NULL,  -- 1, 2, 3, ... without a gap in each log
    id               BYTEA   NOT NULL,
    kind             TEXT    NOT NULL,
    occurred_at      BIGINT  NOT NULL,
    trace_id         BYTEA   NOT NULL,
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
    arguments_digest BYTEA,
    arguments_bytes  BIGINT,
    call_digest      BYTEA,
    decision         TEXT,
    reason_code      TEXT,
    reason           TEXT,
    reason_data      TEXT,              -- JSON object
    -- JSON: [[[check, outcome, nanoseconds, detail?], ..], [[limit, remaining, milliseconds], ..]]
    evaluation       TEXT,
    policy_version   TEXT,
    duration_us      BIGINT,
    permit_id        BYTEA,              -- of a decision: NULL when it is the event's own id
    expires_at       BIGINT,
    status           TEXT,
    duration_ms      BIGINT,
    result_bytes     BIGINT,
    result_digest    BYTEA,
    error            TEXT,
    detail           TEXT,              -- JSON object
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
