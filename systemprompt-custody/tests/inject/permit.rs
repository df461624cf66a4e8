//! Secrets are opened after the permit was claimed, and what is recorded holds none.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use systemprompt_core::call::Digest;
use systemprompt_core::decision::{OutcomeStatus, RunError};
use systemprompt_custody::inject::{InjectError, Injector};

use crate::house::{
    MemoryLedger, MemoryStore, TOKEN, assert_clean, call, injector, permit, server,
};

const GRANT: &str = "mail: password in argument `/password` of tool `send`";
const SENT: &str = r#"{"password":"secret://password"}"#;

fn mail(store: &Arc<MemoryStore>) -> Injector {
    injector(
        store,
        json!({ "bindings": [{
            "server": "mail",
            "secret": "password",
            "sink": { "argument": { "tool": "send", "argument": "password" } },
        }] }),
    )
}

#[tokio::test]
async fn the_tool_gets_the_secret_and_nobody_else_does() {
    let store = MemoryStore::with(&[("password", TOKEN)], &[GRANT]);
    let ledger = Arc::new(MemoryLedger::default());
    let decided = call("mcp__mail__send", SENT);
    let decided_digest = decided.digest();
    let result = mail(&store)
        .run(&server("mail"), permit(&decided, &ledger), |injection| async move {
            let call = injection.call().unwrap();
            assert_eq!(call.digest(), decided_digest);
            assert_eq!(call.arguments().raw(), SENT.as_bytes(), "the call stays as it was decided");
            let arguments = injection.arguments().await?;
            Ok::<_, InjectError>(Bytes::copy_from_slice(arguments.expose()))
        })
        .await
        .unwrap();
    assert_eq!(result, r#"{"password":"[redacted:secret://password]"}"#);
    let outcome = ledger.only_outcome();
    assert_eq!(outcome.status, OutcomeStatus::Success);
    assert_eq!(outcome.result_bytes, Some(result.len() as u64));
    assert_eq!(outcome.result_digest, Some(Digest::of(&result)));
    assert_eq!(store.opened(), [format!("opened {GRANT} for mcp__mail__send")]);
}

#[tokio::test]
async fn the_error_of_a_tool_is_filtered_before_it_is_recorded() {
    let store = MemoryStore::with(&[("password", TOKEN)], &[GRANT]);
    let ledger = Arc::new(MemoryLedger::default());
    let result = mail(&store)
        .run(
            &server("mail"),
            permit(&call("mcp__mail__send", SENT), &ledger),
            |injection| async move {
                injection.arguments().await.map_err(|error| error.to_string())?;
                Err::<Bytes, _>(format!("login {TOKEN} and {} refused", hex::encode(TOKEN)))
            },
        )
        .await;
    let Err(RunError::Tool(error)) = result else { panic!("{result:?}") };
    let text = "login [redacted:secret://password] and [redacted:secret://password] refused";
    assert_eq!(error, InjectError::Tool(text.to_owned()));
    let outcome = ledger.only_outcome();
    assert_eq!((outcome.status, outcome.error.as_deref()), (OutcomeStatus::Failed, Some(text)));
    assert_clean(format!("{error:?}").as_bytes(), TOKEN);
}

#[tokio::test]
async fn a_refusal_is_the_outcome() {
    let store = MemoryStore::with(&[("password", TOKEN)], &[]);
    let ledger = Arc::new(MemoryLedger::default());
    let result = mail(&store)
        .run(
            &server("mail"),
            permit(&call("mcp__mail__send", SENT), &ledger),
            |injection| async move { injection.arguments().await.map(|_| Bytes::new()) },
        )
        .await;
    assert!(matches!(result, Err(RunError::Tool(_))), "{result:?}");
    let outcome = ledger.only_outcome();
    assert_eq!(outcome.status, OutcomeStatus::Failed);
    assert!(outcome.error.unwrap().contains("`password` is not granted to server `mail`"));
    assert_eq!(store.opened(), [format!("refused {GRANT} for mcp__mail__send")]);
}

#[tokio::test]
async fn a_spent_permit_opens_nothing() {
    let store = MemoryStore::with(&[("password", TOKEN)], &[GRANT]);
    let ledger = Arc::new(MemoryLedger::default());
    let decided = call("mcp__mail__send", SENT);
    let (injector, server) = (mail(&store), server("mail"));
    let dropped = injector.run(&server, permit(&decided, &ledger), |injection| async move {
        injection.arguments().await.map(|_| Bytes::new())
    });
    drop(dropped);
    assert_eq!(ledger.abandoned.lock().len(), 1);
    assert!(store.opened().is_empty());
}

#[tokio::test]
async fn values_are_never_shown_by_debug() {
    let store = MemoryStore::with(&[("password", TOKEN)], &[GRANT]);
    let ledger = Arc::new(MemoryLedger::default());
    let injector = mail(&store);
    let shown = injector
        .run(
            &server("mail"),
            permit(&call("mcp__mail__send", SENT), &ledger),
            |injection| async move {
                let arguments = injection.arguments().await?;
                let filter = injection.filter();
                let mut stream = filter.stream();
                let held = stream.push(&TOKEN.as_bytes()[..9]);
                assert!(held.is_empty());
                let shown = format!("{injection:?} {arguments:?} {filter:?} {stream:?}");
                // As it is shown, before the run filters it once more.
                assert!(!shown.contains(&TOKEN[..6]), "{shown}");
                Ok::<_, InjectError>(Bytes::from(shown))
            },
        )
        .await
        .unwrap();
    assert!(!shown.is_empty());
    assert_clean(format!("{injector:?}").as_bytes(), TOKEN);
}
