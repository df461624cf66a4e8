-- One row for each request to a model. A NUL in a text is shown as U+FFFD.
CREATE VIEW ai_requests AS
SELECT
    encode(e.id, 'hex')::uuid::text AS id,
    l.origin AS origin,
    e.seq AS seq,
    to_char(timestamp 'epoch' + e.occurred_at * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS occurred_at,
    encode(e.trace_id, 'hex') AS trace_id,
    e.call_id, e.session_id, e.context_id, e.task_id, e.tenant_id, e.user_id, e.department, e.agent_id,
    e.door,
    d.body ->> 'request_id' AS request_id,
    d.body ->> 'provider' AS provider,
    d.body ->> 'model' AS model,
    coalesce(d.body ->> 'requested_model', d.body ->> 'model') AS requested_model,
    d.body ->> 'tool' AS tool,
    d.body ->> 'status' AS status,
    d.body ->> 'error_code' AS error_code,
    (d.body ->> 'streamed')::boolean AS streamed,
    (d.body #>> '{tokens,input}')::bigint AS input_tokens,
    (d.body #>> '{tokens,cached_input}')::bigint AS cached_input_tokens,
    (d.body #>> '{tokens,cache_write}')::bigint AS cache_write_tokens,
    (d.body #>> '{tokens,output}')::bigint AS output_tokens,
    (d.body ->> 'cost_microdollars')::bigint AS cost_microdollars,
    (d.body ->> 'priced')::boolean AS priced,
    (d.body ->> 'latency_ms')::bigint AS latency_ms,
    (d.body ->> 'first_token_ms')::bigint AS first_token_ms
FROM audit_events e
JOIN audit_logs l ON l.id = e.log_id
CROSS JOIN LATERAL (SELECT replace(e.detail, '\u0000', '\ufffd')::json) AS d (body)
WHERE e.kind = 'ai_request';
