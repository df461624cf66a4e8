-- One row for each decided call: the five points as JSON objects, and which of them are missing.
CREATE VIEW five_point_trace AS
SELECT
    lower(hex(d.trace_id)) AS trace_id,
    d.call_id AS call_id,
    strftime('%Y-%m-%dT%H:%M:%S', d.occurred_at / 1000000, 'unixepoch')
        || printf('.%06dZ', d.occurred_at % 1000000) AS occurred_at,
    json_object('tenant_id', d.tenant_id, 'user_id', d.user_id, 'department', d.department,
        'credential_id', d.credential_id, 'actor_chain', json(coalesce(d.actor_chain, '[]')))
        AS identity,
    json_object('agent_id', d.agent_id, 'session_id', d.session_id, 'context_id', d.context_id,
        'task_id', d.task_id, 'call_id', d.call_id, 'plugin_id', d.plugin_id, 'door', d.door,
        'user_agent', d.user_agent, 'client_addr', d.client_addr) AS agent_context,
    json_object('decision', d.decision, 'reason_code', d.reason_code, 'reason', d.reason,
        'policy_version', d.policy_version, 'evaluation', json_object('policy_version', d.policy_version,
                'checks', (SELECT json_group_array(json_object('check', value ->> 0, 'outcome', value ->> 1,
                        'detail', value ->> 3, 'duration_ns', value ->> 2))
                    FROM json_each(d.evaluation, '$[0]')),
                'limits', (SELECT json_group_array(json_object('name', value ->> 0, 'remaining', value ->> 1,
                        'reset_ms', value ->> 2))
                    FROM json_each(d.evaluation, '$[1]')))) AS permissions,
    CASE WHEN o.id IS NOT NULL THEN
        json_object('server', d.server, 'tool', d.tool,
            'arguments_digest', nullif(lower(hex(d.arguments_digest)), ''), 'status', o.status,
            'duration_ms', o.duration_ms)
    END AS tool_execution,
    CASE WHEN o.id IS NOT NULL THEN
        json_object('status', o.status, 'result_bytes', o.result_bytes,
            'result_digest', nullif(lower(hex(o.result_digest)), ''),
            'error', o.error)
    END AS result,
    CASE WHEN o.id IS NULL THEN '["tool_execution","result"]' ELSE '[]' END AS missing
FROM audit_events d
LEFT JOIN audit_events o
    ON o.permit_id = coalesce(d.permit_id, d.id) AND o.kind = 'outcome' AND d.decision = 'allow'
WHERE d.kind = 'decision';
