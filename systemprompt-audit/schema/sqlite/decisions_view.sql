CREATE VIEW governance_decisions AS
SELECT
    lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4)
        || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) AS id,
    l.origin AS origin,
    e.seq AS seq,
    strftime('%Y-%m-%dT%H:%M:%S', e.occurred_at / 1000000, 'unixepoch')
        || printf('.%06dZ', e.occurred_at % 1000000) AS occurred_at,
    lower(hex(e.trace_id)) AS trace_id,
    e.call_id, e.session_id, e.context_id, e.task_id, e.tenant_id, e.user_id, e.department,
    e.credential_id,
    coalesce(e.actor_chain, '[]') AS actor_chain,
    e.agent_id, e.plugin_id, e.door, e.user_agent, e.client_addr, e.server, e.tool,
    nullif(lower(hex(e.arguments_digest)), '') AS arguments_digest,
    e.arguments_bytes,
    nullif(lower(hex(e.call_digest)), '') AS call_digest,
    e.decision, e.reason_code, e.reason, e.reason_data,
    json_object('policy_version', e.policy_version,
        'checks', (SELECT json_group_array(json_object('check', value ->> 0, 'outcome', value ->> 1,
                'detail', value ->> 3, 'duration_ns', value ->> 2))
            FROM json_each(e.evaluation, '$[0]')),
        'limits', (SELECT json_group_array(json_object('name', value ->> 0, 'remaining', value ->> 1,
                'reset_ms', value ->> 2))
            FROM json_each(e.evaluation, '$[1]'))) AS evaluation,
    e.policy_version, e.duration_us,
    CASE WHEN e.decision = 'allow' THEN
        lower(substr(hex(coalesce(e.permit_id, e.id)), 1, 8)
            || '-' || substr(hex(coalesce(e.permit_id, e.id)), 9, 4)
            || '-' || substr(hex(coalesce(e.permit_id, e.id)), 13, 4)
            || '-' || substr(hex(coalesce(e.permit_id, e.id)), 17, 4)
            || '-' || substr(hex(coalesce(e.permit_id, e.id)), 21))
    END AS permit_id,
    strftime('%Y-%m-%dT%H:%M:%S', e.expires_at / 1000000, 'unixepoch')
        || printf('.%06dZ', e.expires_at % 1000000) AS expires_at
FROM audit_events e
JOIN audit_logs l ON l.id = e.log_id
WHERE e.kind = 'decision';
