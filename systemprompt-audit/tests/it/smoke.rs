use systemprompt_core::contract::{AuditSink as _, PermitLedger as _};

use crate::fixture::{Fixture, principal, success};

#[tokio::test]
async fn smoke() {
    let fixture = Fixture::new().await;
    let log = fixture.log().await;
    let event = fixture.allow("ada");
    let (id, trace) = (event.id, event.trace_id);
    log.append(event).await.unwrap();
    log.settle(id.into(), &principal("acme", "ada"), success()).await.unwrap();
    let trace = fixture.reader().trace(&systemprompt_audit::ReadScope::All, trace).await.unwrap();
    println!("{}", serde_json::to_string_pretty(&trace).unwrap());
    for table in [
        "SELECT json_object('a', evaluation, 'id', id, 'at', occurred_at, 'p', permit_id, 'e', expires_at) FROM governance_decisions",
        "SELECT json_object('id', id, 'p', permit_id, 's', status) FROM tool_executions",
        "SELECT identity || agent_context || permissions || tool_execution || result || missing FROM five_point_trace",
    ] {
        println!("{:?}", fixture.text(table).await);
    }
    log.close().await;
}
