CREATE VIEW governance_decisions AS
SELECT
    encode(e.id, 'hex')::uuid::text AS id,
    l.origin AS origin,
    e.seq AS seq,
    to_char(timestamp 'epoch' + e.occurred_at * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS occurred_at,
    encode(e.trace_id, 'hex') AS trace_id,
    e.call_id, e.session_id, e.context_id, e.task_id, e.tenant_id, e.user_id, e.department,
    e.credential_id,
    coalesce(e.actor_chain, '[]')::json AS actor_chain,
    e.agent_id, e.plugin_id, e.door, e.user_agent, e.client_addr, e.server, e.tool,
    encode(e.arguments_digest, 'hex') AS arguments_digest,
    e.arguments_bytes,
    encode(e.call_digest, 'hex') AS call_digest,
    e.decision, e.reason_code, e.reason, e.reason_data::json AS reason_data,
    json_build_object('policy_version', e.policy_version,
        'checks', (SELECT coalesce(json_agg(json_build_object('check', c.value -> 0, 'outcome', c.value -> 1,
                'detail', c.value -> 3, 'duration_ns', c.value -> 2) ORDER BY c.place), '[]'::json)
            FROM json_array_elements(e.evaluation::json -> 0) WITH ORDINALITY AS c (value, place)),
        'limits', (SELECT coalesce(json_agg(json_build_object('name', c.value -> 0, 'remaining', c.value -> 1,
                'reset_ms', c.value -> 2) ORDER BY c.place), '[]'::json)
            FROM json_array_elements(e.evaluation::json -> 1) WITH ORDINALITY AS c (value, place))) AS evaluation,
    e.policy_version, e.duration_us,
    CASE WHEN e.decision = 'allow' THEN encode(coalesce(e.permit_id, e.id), 'hex')::uuid::text END AS permit_id,
    to_char(timestamp 'epoch' + e.expires_at * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS expires_at
FROM audit_events e
JOIN audit_logs l ON l.id = e.log_id
WHERE e.kind = 'decision';
