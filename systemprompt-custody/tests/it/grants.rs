//! A grant covers what it says, and nothing beside it.

use systemprompt_core::contract::{SecretStoreError, Sink};
use systemprompt_core::event::EventKind;
use systemprompt_custody::{CustodyError, Place, PlaceError};

use crate::support::{API, ENV, Home, OPS, grant, name, on_both, tenant};

on_both! {
    a_grant_covers_one_server_and_one_place;
    hosts_and_headers_have_no_case_and_ports_and_variables_do_count;
    an_argument_is_granted_by_tool_and_pointer;
    a_grant_is_made_once_and_revoked_once;
    grants_of_what_is_not_there_are_refused;
    a_grant_ends_at_once_and_can_be_made_again;
    what_injection_never_fills_is_not_granted;
}

async fn a_grant_covers_one_server_and_one_place(home: Home) {
    home.create("token", "value").await;
    home.create("other", "value").await;
    home.create_for("rival", "token", "value").await.unwrap();
    home.grant("token", Place::header("api.github.com", "authorization").unwrap()).await.unwrap();
    home.open("token", None, API).await.unwrap();
    let other_header = Sink::Header { host: "api.github.com", header: "x-api-key" };
    let other_host = Sink::Header { host: "github.com", header: "authorization" };
    let named_alike = Sink::Env { variable: "authorization" };
    let beside = [
        (("acme", "token", "gitlab"), API),
        (("acme", "token", "github-2"), API),
        (("acme", "other", "github"), API),
        (("rival", "token", "github"), API),
        (("acme", "token", "github"), other_header),
        (("acme", "token", "github"), other_host),
        (("acme", "token", "github"), named_alike),
        (("acme", "token", "github"), ENV),
    ];
    for (whose, sink) in beside {
        let refused = home.open_for(whose, None, sink, None).await;
        assert!(matches!(refused, Err(SecretStoreError::NotGranted { .. })), "{whose:?} {sink}");
    }
    assert_eq!(home.log.details(EventKind::SecretDenied).len(), beside.len());
}

async fn an_argument_is_granted_by_tool_and_pointer(home: Home) {
    home.create("token", "value").await;
    let place = Place::argument("call_api", "/headers/token").unwrap();
    home.grant("token", place.clone()).await.unwrap();
    assert!(matches!(home.grant("token", place).await, Err(CustodyError::AlreadyGranted { .. })));
    let argument = |tool, argument| Sink::Argument { tool, argument };
    home.open("token", None, argument("call_api", "/headers/token")).await.unwrap();
    for bad in [
        argument("call_api", "/headers"),
        argument("call_api", "/headers/token/0"),
        argument("call_apis", "/headers/token"),
        argument("Call_api", "/headers/token"),
        Sink::Header { host: "call_api", header: "/headers/token" },
        Sink::Env { variable: "/headers/token" },
    ] {
        let refused = home.open("token", None, bad).await;
        assert!(matches!(refused, Err(SecretStoreError::NotGranted { .. })), "{bad}");
    }
}

async fn hosts_and_headers_have_no_case_and_ports_and_variables_do_count(home: Home) {
    home.create("token", "value").await;
    home.grant("token", Place::header("API.Example.com:8443", "X-Key").unwrap()).await.unwrap();
    home.grant("token", Place::env("Gh_Token").unwrap()).await.unwrap();
    let header = |host, header| Sink::Header { host, header };
    for good in [
        header("api.example.com:8443", "x-key"),
        header("API.EXAMPLE.COM:8443", "X-KEY"),
        Sink::Env { variable: "Gh_Token" },
    ] {
        home.open("token", None, good).await.unwrap();
    }
    for bad in [
        header("api.example.com", "x-key"),
        header("api.example.com:443", "x-key"),
        header("api.example.com:8444", "x-key"),
        header("api.example.com:8443.", "x-key"),
        header("api.example.com.:8443", "x-key"),
        header("xapi.example.com:8443", "x-key"),
        header("api.example.com:8443 ", "x-key"),
        header("api.example.com:8443", "x-key "),
        header("%", "%"),
        Sink::Env { variable: "GH_TOKEN" },
        Sink::Env { variable: "gh_token" },
        Sink::Env { variable: "Gh_Token\0" },
        Sink::Env { variable: "" },
    ] {
        // A server of PostgreSQL refuses a NUL itself, which is a refusal as well.
        let refused = home.open("token", None, bad).await;
        assert!(
            matches!(
                refused,
                Err(SecretStoreError::NotGranted { .. } | SecretStoreError::Unavailable(_))
            ),
            "{bad}"
        );
    }
}

async fn a_grant_is_made_once_and_revoked_once(home: Home) {
    home.create("token", "value").await;
    let places = [Place::header("a.example", "x").unwrap(), Place::env("X").unwrap()];
    for place in &places {
        home.grant("token", place.clone()).await.unwrap();
        let again = home.grant("token", place.clone()).await;
        assert!(matches!(again, Err(CustodyError::AlreadyGranted { .. })), "{again:?}");
    }
    let listed = home.custody.secrets(None).await.unwrap();
    let listed: Vec<_> = listed[0].grants.iter().map(|grant| grant.place.clone()).collect();
    assert_eq!(listed, places);
    for place in &places {
        home.custody.revoke_grant(&grant("token", place.clone()), OPS).await.unwrap();
        let again = home.custody.revoke_grant(&grant("token", place.clone()), OPS).await;
        assert!(matches!(again, Err(CustodyError::NotGranted { .. })), "{again:?}");
    }
    assert!(home.custody.secrets(None).await.unwrap()[0].grants.is_empty());
    let expected = serde_json::json!({
        "tenant": "acme", "name": "token", "server": "github",
        "sink": { "variable": "X" }, "revoked": "grant", "by": "ops",
    });
    assert_eq!(home.log.details(EventKind::SecretRevoked)[1], expected);
    assert_eq!(home.log.details(EventKind::SecretGranted).len(), 2);
}

async fn grants_of_what_is_not_there_are_refused(home: Home) {
    for place in [Place::header("a.example", "x").unwrap(), Place::env("X").unwrap()] {
        let refused = home.grant("token", place.clone()).await;
        assert!(matches!(refused, Err(CustodyError::Unknown { .. })), "{refused:?}");
        let refused = home.custody.revoke_grant(&grant("token", place), OPS).await;
        assert!(matches!(refused, Err(CustodyError::Unknown { .. })), "{refused:?}");
    }
    home.create("token", "value").await;
    home.custody.revoke(&tenant("acme"), &name("token"), OPS).await.unwrap();
    for place in [Place::header("a.example", "x").unwrap(), Place::env("X").unwrap()] {
        let refused = home.grant("token", place).await;
        assert!(matches!(refused, Err(CustodyError::Revoked { .. })), "{refused:?}");
    }
}

async fn a_grant_ends_at_once_and_can_be_made_again(home: Home) {
    home.granted("token", "value").await;
    home.value("token").await;
    let variable = || Place::env("GITHUB_TOKEN").unwrap();
    home.custody.revoke_grant(&grant("token", variable()), OPS).await.unwrap();
    home.open("token", None, ENV).await.unwrap_err();
    home.grant("token", variable()).await.unwrap();
    home.value("token").await;
}

async fn what_injection_never_fills_is_not_granted(home: Home) {
    home.create("token", "value").await;
    for (place, what, why) in [
        (Place::header("a.example", "Host"), "header `host`", "how a message is sent"),
        (Place::header("a.example", "Proxy-X"), "header `proxy-x`", "how a message is sent"),
        (Place::env("LD_PRELOAD"), "variable `LD_PRELOAD`", "what code programs run"),
        (Place::env("path"), "variable `path`", "what code programs run"),
    ] {
        let place = place.unwrap();
        let refused = home.grant("token", place.clone()).await.unwrap_err();
        let said = refused.to_string();
        assert!(
            matches!(refused, CustodyError::Place(PlaceError::NotInjectable { .. })),
            "{refused:?}"
        );
        assert!(said.contains(what) && said.contains(why), "{said}");
        // One that was granted before can be taken back.
        let gone = home.custody.revoke_grant(&grant("token", place), OPS).await;
        assert!(matches!(gone, Err(CustodyError::NotGranted { .. })), "{gone:?}");
    }
    assert!(home.log.details(EventKind::SecretGranted).is_empty());
}
