//! Handing values out.

use std::time::Duration;

use systemprompt_core::call::{CallContext, Door};
use systemprompt_core::clock::{Clock as _, Timestamp};
use systemprompt_core::contract::{SecretStoreError, Sink};
use systemprompt_core::event::EventKind;
use systemprompt_core::id::{CallId, SessionId};
use systemprompt_custody::Place;

use crate::support::{API, ENV, Home, OPS, call, name, on_both, secret, tenant};

const VALUE: &str = "ghp_0123456789abcdefghijABCDEFGHIJ012345";

on_both! {
    a_granted_secret_is_handed_out_and_recorded;
    a_use_for_a_call_belongs_to_the_trace_of_the_call;
    a_call_of_another_tenant_opens_nothing;
    versions_are_opened_by_number_until_they_are_retired;
    what_is_revoked_or_unknown_is_not_handed_out;
    a_value_is_nowhere_but_where_it_belongs;
    a_value_that_no_header_can_hold_is_not_put_into_one;
    the_list_shows_the_last_use_at_most_a_minute_late;
}

async fn a_granted_secret_is_handed_out_and_recorded(home: Home) {
    home.create("token", VALUE).await;
    home.grant("token", Place::header("api.github.com", "Authorization").unwrap()).await.unwrap();
    let opened = home.open("token", None, API).await.unwrap();
    assert_eq!((opened.value.expose().as_str(), opened.version), (VALUE, 1));
    assert_eq!(opened.name.as_str(), "token");
    let used = home.log.details(EventKind::SecretUsed);
    let expected = serde_json::json!({
        "tenant": "acme", "name": "token", "version": 1, "server": "github",
        "sink": { "host": "api.github.com", "header": "authorization" },
    });
    assert_eq!(used, [expected]);
    assert!(!format!("{opened:?} {:?}", home.custody).contains(VALUE));
}

async fn a_use_for_a_call_belongs_to_the_trace_of_the_call(home: Home) {
    home.granted("token", VALUE).await;
    let context = CallContext {
        call_id: Some(CallId::parse("call-7").unwrap()),
        session: Some(SessionId::parse("hunter2-session").unwrap()),
        ..CallContext::default()
    };
    let call = call("acme", "ada", context);
    home.open_for(("acme", "token", "github"), None, ENV, Some(&call)).await.unwrap();
    let event = home.log.events().pop().unwrap();
    assert_eq!(event.kind(), EventKind::SecretUsed);
    assert_eq!(event.trace_id, call.trace_id());
    assert_eq!(event.subject.unwrap().user.as_str(), "ada");
    assert_eq!(event.context.call_id.unwrap().as_str(), "call-7");
    assert_eq!(event.context.session.unwrap().as_str(), "redacted-session");
    assert_eq!(event.context.door, Some(Door::Mcp));
}

async fn a_call_of_another_tenant_opens_nothing(home: Home) {
    home.granted("token", VALUE).await;
    let call = call("other", "eve", CallContext::default());
    let refused = home.open_for(("acme", "token", "github"), None, ENV, Some(&call)).await;
    assert!(matches!(refused, Err(SecretStoreError::NotGranted { .. })), "{refused:?}");
    assert_eq!(home.log.details(EventKind::SecretDenied)[0]["reason"], "other_tenant");
    let refused = home.open_for(("other", "token", "github"), None, ENV, Some(&call)).await;
    assert_eq!(refused.unwrap_err(), SecretStoreError::Unknown("token".to_owned()));
}

async fn versions_are_opened_by_number_until_they_are_retired(home: Home) {
    home.granted("token", "first").await;
    let (acme, token) = (tenant("acme"), name("token"));
    let rotated = home.custody.rotate(&acme, &token, &secret("second"), OPS).await.unwrap();
    assert_eq!(rotated, 2);
    let value = async |version| {
        let opened = home.open("token", version, ENV).await?;
        Ok::<_, SecretStoreError>((opened.version, opened.value.expose().clone()))
    };
    assert_eq!(value(None).await.unwrap(), (2, "second".to_owned()));
    assert_eq!(value(Some(2)).await.unwrap(), (2, "second".to_owned()));
    assert_eq!(value(Some(1)).await.unwrap(), (1, "first".to_owned()));
    let unknown = SecretStoreError::Unknown("token@3".to_owned());
    assert_eq!(value(Some(3)).await.unwrap_err(), unknown);
    home.custody.retire(&acme, &token, 1, OPS).await.unwrap();
    let unknown = SecretStoreError::Unknown("token@1".to_owned());
    assert_eq!(value(Some(1)).await.unwrap_err(), unknown);
    assert_eq!(value(None).await.unwrap(), (2, "second".to_owned()));
    assert_eq!(value(Some(0)).await.unwrap_err(), SecretStoreError::Unknown("token@0".to_owned()));
}

async fn what_is_revoked_or_unknown_is_not_handed_out(home: Home) {
    let reasons = || -> Vec<_> {
        let denied = home.log.details(EventKind::SecretDenied);
        denied.iter().map(|detail| detail["reason"].as_str().unwrap().to_owned()).collect()
    };
    let unknown = SecretStoreError::Unknown("token".to_owned());
    assert_eq!(home.open("token", None, ENV).await.unwrap_err(), unknown);
    home.create("token", VALUE).await;
    let refused = home.open("token", None, ENV).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "secret `token` is not granted to server `github` for the variable `GITHUB_TOKEN`"
    );
    home.grant("token", Place::env("GITHUB_TOKEN").unwrap()).await.unwrap();
    home.value("token").await;
    home.custody.revoke(&tenant("acme"), &name("token"), OPS).await.unwrap();
    assert_eq!(home.open("token", None, ENV).await.unwrap_err(), unknown);
    assert_eq!(home.open("token", Some(1), ENV).await.unwrap_err(), unknown);
    assert_eq!(reasons(), ["unknown", "not_granted", "revoked", "revoked"]);
}

async fn a_value_is_nowhere_but_where_it_belongs(home: Home) {
    home.granted("token", VALUE).await;
    assert_eq!(home.value("token").await, VALUE);
    home.custody.rotate(&tenant("acme"), &name("token"), &secret(VALUE), OPS).await.unwrap();
    home.open("token", None, API).await.unwrap_err();
    home.custody.revoke(&tenant("acme"), &name("token"), OPS).await.unwrap();
    let events = format!("{:?}", home.log.events());
    assert!(events.contains("token") && !events.contains(VALUE) && !events.contains(&VALUE[4..14]));
    assert!(!home.holds(VALUE));
}

async fn a_value_that_no_header_can_hold_is_not_put_into_one(home: Home) {
    let api = || Place::header("api.github.com", "authorization").unwrap();
    home.create("lines", "one\r\nX-Evil: two").await;
    let refused = home.grant("lines", api()).await.unwrap_err().to_string();
    assert!(refused.contains("line break") && !refused.contains("Evil"), "{refused}");
    // As a variable it is fine, and the value before it is fine for a header.
    home.grant("lines", Place::env("GITHUB_TOKEN").unwrap()).await.unwrap();
    assert_eq!(home.value("lines").await, "one\r\nX-Evil: two");
    home.create("token", "fine").await;
    home.grant("token", api()).await.unwrap();
    let (acme, token) = (tenant("acme"), name("token"));
    let refused = home.custody.rotate(&acme, &token, &secret("a\nb"), OPS).await;
    assert!(refused.unwrap_err().to_string().contains("line break"));
    assert_eq!(home.open("token", None, API).await.unwrap().version, 1, "nothing has changed");
    // A grant looks at the newest value; one before it, asked for by its number, is not handed out.
    home.custody.rotate(&acme, &name("lines"), &secret("fine"), OPS).await.unwrap();
    home.grant("lines", api()).await.unwrap();
    assert_eq!(home.open("lines", None, API).await.unwrap().version, 2);
    let refused = home.open("lines", Some(1), API).await.unwrap_err();
    assert!(matches!(refused, SecretStoreError::Unfit { .. }), "{refused}");
    assert!(!refused.to_string().contains("Evil"));
    let sink = Sink::Header { host: "api.github.com", header: "authorization" };
    assert_eq!(sink, API);
}

/// The last use as the list shows it, once it is `expected`; a note is written beside the use.
async fn last_used(home: &Home, expected: Option<Timestamp>) {
    for _ in 0..200 {
        let listed = home.custody.secrets(None).await.unwrap()[0].last_used_at;
        if listed == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{:?} is not {expected:?}", home.custody.secrets(None).await.unwrap()[0].last_used_at);
}

async fn the_list_shows_the_last_use_at_most_a_minute_late(home: Home) {
    home.granted("token", VALUE).await;
    home.open("token", None, API).await.unwrap_err();
    assert_eq!(home.custody.secrets(None).await.unwrap()[0].last_used_at, None, "that was none");
    let first = home.clock.now();
    home.value("token").await;
    last_used(&home, Some(first)).await;
    home.clock.advance(Duration::from_secs(59));
    home.value("token").await;
    home.clock.advance(Duration::from_secs(1));
    home.value("token").await;
    last_used(&home, Some(home.clock.now())).await;
    // Whoever takes the name again begins anew.
    home.custody.revoke(&tenant("acme"), &name("token"), OPS).await.unwrap();
    home.clock.advance(Duration::from_secs(1));
    home.create("token", "another").await;
    last_used(&home, None).await;
}
