-- One row for each decided call: the five points as JSON objects, and which of them are missing.
CREATE VIEW five_point_trace AS
SELECT
    encode(d.trace_id, 'hex') AS trace_id,
    d.call_id AS call_id,
    to_char(timestamp 'epoch' + d.occurred_at * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS occurred_at,
    json_build_object('tenant_id', d.tenant_id, 'user_id', d.user_id, 'department', d.department,
        'credential_id', d.credential_id, 'actor_chain', coalesce(d.actor_chain, '[]')::json)
        AS identity,
    json_build_object('agent_id', d.agent_id, 'session_id', d.session_id, 'context_id', d.context_id,
        'task_id', d.task_id, 'call_id', d.call_id, 'plugin_id', d.plugin_id, 'door', d.door,
        'user_agent', d.user_agent, 'client_addr', d.client_addr) AS agent_context,
    json_build_object('decision', d.decision, 'reason_code', d.reason_code, 'reason', d.reason,
        'policy_version', d.policy_version, 'evaluation',
        json_build_object('policy_version', d.policy_version,
            'checks', (SELECT coalesce(json_agg(json_build_object('check', c.value -> 0, 'outcome', c.value -> 1,
                    'detail', c.value -> 3, 'duration_ns', c.value -> 2) ORDER BY c.place), '[]'::json)
                FROM json_array_elements(d.evaluation::json -> 0) WITH ORDINALITY AS c (value, place)),
            'limits', (SELECT coalesce(json_agg(json_build_object('name', c.value -> 0, 'remaining', c.value -> 1,
                    'reset_ms', c.value -> 2) ORDER BY c.place), '[]'::json)
                FROM json_array_elements(d.evaluation::json -> 1) WITH ORDINALITY AS c (value, place)))) AS permissions,
    CASE WHEN o.id IS NOT NULL THEN
        json_build_object('server', d.server, 'tool', d.tool,
            'arguments_digest', encode(d.arguments_digest, 'hex'), 'status', o.status,
            'duration_ms', o.duration_ms)
    END AS tool_execution,
    CASE WHEN o.id IS NOT NULL THEN
        json_build_object('status', o.status, 'result_bytes', o.result_bytes,
            'result_digest', encode(o.result_digest, 'hex'), 'error', o.error)
    END AS result,
    CASE WHEN o.id IS NULL THEN '["tool_execution","result"]'::json ELSE '[]'::json END AS missing
FROM audit_events d
LEFT JOIN audit_events o
    ON o.permit_id = coalesce(d.permit_id, d.id) AND o.kind = 'outcome' AND d.decision = 'allow'
WHERE d.kind = 'decision';
