CREATE VIEW tool_executions AS
SELECT
    lower(substr(hex(o.id), 1, 8) || '-' || substr(hex(o.id), 9, 4) || '-' || substr(hex(o.id), 13, 4)
        || '-' || substr(hex(o.id), 17, 4) || '-' || substr(hex(o.id), 21)) AS id,
    l.origin AS origin,
    o.seq AS seq,
    strftime('%Y-%m-%dT%H:%M:%S', o.occurred_at / 1000000, 'unixepoch')
        || printf('.%06dZ', o.occurred_at % 1000000) AS occurred_at,
    lower(hex(o.trace_id)) AS trace_id,
    o.call_id, d.session_id, o.tenant_id, o.user_id, d.agent_id, d.server, d.tool,
    lower(substr(hex(o.permit_id), 1, 8) || '-' || substr(hex(o.permit_id), 9, 4)
        || '-' || substr(hex(o.permit_id), 13, 4) || '-' || substr(hex(o.permit_id), 17, 4)
        || '-' || substr(hex(o.permit_id), 21)) AS permit_id,
    o.status, o.duration_ms, o.result_bytes,
    nullif(lower(hex(o.result_digest)), '') AS result_digest,
    o.error
FROM audit_events o
JOIN audit_logs l ON l.id = o.log_id
LEFT JOIN audit_events d ON d.id = o.permit_id
WHERE o.kind = 'outcome';
