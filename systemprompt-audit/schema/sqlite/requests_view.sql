-- One row for each request to a model.
CREATE VIEW ai_requests AS
SELECT
    lower(substr(hex(e.id), 1, 8) || '-' || substr(hex(e.id), 9, 4) || '-' || substr(hex(e.id), 13, 4)
        || '-' || substr(hex(e.id), 17, 4) || '-' || substr(hex(e.id), 21)) AS id,
    l.origin AS origin,
    e.seq AS seq,
    strftime('%Y-%m-%dT%H:%M:%S', e.occurred_at / 1000000, 'unixepoch')
        || printf('.%06dZ', e.occurred_at % 1000000) AS occurred_at,
    lower(hex(e.trace_id)) AS trace_id,
    e.call_id, e.session_id, e.context_id, e.task_id, e.tenant_id, e.user_id, e.department, e.agent_id,
    e.door,
    e.detail ->> 'request_id' AS request_id,
    e.detail ->> 'provider' AS provider,
    e.detail ->> 'model' AS model,
    coalesce(e.detail ->> 'requested_model', e.detail ->> 'model') AS requested_model,
    e.detail ->> 'tool' AS tool,
    e.detail ->> 'status' AS status,
    e.detail ->> 'error_code' AS error_code,
    e.detail ->> 'streamed' AS streamed,
    e.detail ->> '$.tokens.input' AS input_tokens,
    e.detail ->> '$.tokens.cached_input' AS cached_input_tokens,
    e.detail ->> '$.tokens.cache_write' AS cache_write_tokens,
    e.detail ->> '$.tokens.output' AS output_tokens,
    e.detail ->> 'cost_microdollars' AS cost_microdollars,
    e.detail ->> 'priced' AS priced,
    e.detail ->> 'latency_ms' AS latency_ms,
    e.detail ->> 'first_token_ms' AS first_token_ms
FROM audit_events e
JOIN audit_logs l ON l.id = e.log_id
WHERE e.kind = 'ai_request';
