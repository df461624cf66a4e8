use systemprompt_core::contract::{AuditSink as _, PermitLedger as _};
use systemprompt_core::event::Verdict;

use crate::fixture::{Fixture, decision, on_both, principal, success};

on_both! {
    #[tokio::test]
    views_show_readable_texts;
    #[tokio::test]
    a_denied_call_shows_its_reason_and_no_permit;
    #[tokio::test]
    every_promised_column_is_in_the_decisions_view;
}

async fn views_show_readable_texts(fixture: Fixture) {
    let log = fixture.log().await;
    let event = fixture.allow("ada");
    let (id, trace) = (event.id, event.trace_id);
    log.append(event).await.unwrap();
    let row = fixture
        .text(
            "SELECT id || ' ' || seq || ' ' || occurred_at || ' ' || trace_id || ' ' || user_id || ' ' \
             || department || ' ' || actor_chain || ' ' || server || ' ' || tool || ' ' || decision \
             || ' ' || permit_id || ' ' || expires_at || ' ' || duration_us || ' ' || policy_version \
             FROM governance_decisions",
        )
        .await
        .unwrap();
    let expected = format!(
        "{id} 1 2026-11-22T20:15:00.000000Z {trace} ada research [\"assistant\"] files Read allow {id} \
         2026-11-22T20:30:00.000000Z 3 p-3f9a2b7c11d0e4a8"
    );
    assert_eq!(row, expected);
    let digest = "SELECT length(arguments_digest) FROM governance_decisions";
    assert_eq!(fixture.number(digest).await, 64);
    let checks = fixture.either(
        "SELECT json_extract(evaluation, '$.checks[3].check') FROM governance_decisions",
        "SELECT evaluation -> 'checks' -> 3 ->> 'check' FROM governance_decisions",
    );
    assert_eq!(fixture.text(checks).await.as_deref(), Some("rate"));

    let missing = "SELECT CAST(missing AS TEXT) FROM five_point_trace";
    assert_eq!(fixture.text(missing).await.as_deref(), Some(r#"["tool_execution","result"]"#));
    log.settle(id.into(), &principal("acme", "ada"), success()).await.unwrap();
    assert_eq!(fixture.text(missing).await.as_deref(), Some("[]"));
    let execution = "SELECT permit_id || ' ' || tool || ' ' || status || ' ' || duration_ms FROM tool_executions";
    assert_eq!(fixture.text(execution).await, Some(format!("{id} Read success 12")));
    let result = fixture.either(
        "SELECT json_extract(result, '$.result_bytes') FROM five_point_trace",
        "SELECT result ->> 'result_bytes' FROM five_point_trace",
    );
    assert_eq!(fixture.number(result).await, 4096);
}

async fn a_denied_call_shows_its_reason_and_no_permit(fixture: Fixture) {
    let log = fixture.log().await;
    log.append(decision(&principal("acme", "ada"), fixture.now(), Verdict::Deny)).await.unwrap();
    let row = fixture.either(
        "SELECT reason_code || ' ' || json_extract(reason_data, '$.pattern') \
         || ' ' || coalesce(permit_id, 'none') || ' ' || coalesce(expires_at, 'never') \
         FROM governance_decisions",
        "SELECT reason_code || ' ' || (reason_data ->> 'pattern') \
         || ' ' || coalesce(permit_id, 'none') || ' ' || coalesce(expires_at, 'never') \
         FROM governance_decisions",
    );
    assert_eq!(fixture.text(row).await.as_deref(), Some("blocked delete none never"));
}

async fn every_promised_column_is_in_the_decisions_view(fixture: Fixture) {
    let columns = fixture.either(
        "SELECT group_concat(name, ' ') FROM pragma_table_info('governance_decisions')",
        "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute \
         WHERE attrelid = 'governance_decisions'::regclass AND attnum > 0",
    );
    let columns = fixture.text(columns).await.unwrap();
    let columns: Vec<_> = columns.split(' ').collect();
    for wanted in [
        "id",
        "seq",
        "occurred_at",
        "trace_id",
        "call_id",
        "session_id",
        "context_id",
        "task_id",
        "tenant_id",
        "user_id",
        "department",
        "actor_chain",
        "agent_id",
        "door",
        "server",
        "tool",
        "arguments_digest",
        "decision",
        "reason_code",
        "reason",
        "evaluation",
        "policy_version",
        "duration_us",
    ] {
        assert!(columns.contains(&wanted), "{wanted}");
    }
}
