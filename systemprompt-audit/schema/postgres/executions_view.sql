CREATE VIEW tool_executions AS
SELECT
    encode(o.id, 'hex')::uuid::text AS id,
    l.origin AS origin,
    o.seq AS seq,
    to_char(timestamp 'epoch' + o.occurred_at * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS occurred_at,
    encode(o.trace_id, 'hex') AS trace_id,
    o.call_id, d.session_id, o.tenant_id, o.user_id, d.agent_id, d.server, d.tool,
    encode(o.permit_id, 'hex')::uuid::text AS permit_id,
    o.status, o.duration_ms, o.result_bytes,
    encode(o.result_digest, 'hex') AS result_digest,
    o.error
FROM audit_events o
JOIN audit_logs l ON l.id = o.log_id
LEFT JOIN audit_events d ON d.id = o.permit_id
WHERE o.kind = 'outcome';
