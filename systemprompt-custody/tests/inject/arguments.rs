//! Placeholders in the arguments of a call.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use systemprompt_core::decision::RunError;
use systemprompt_custody::inject::{InjectError, Injector};

use crate::house::{MemoryLedger, MemoryStore, TOKEN, call, injector, permit, server};

const GRANTS: [&str; 2] = [
    "mail: password in argument `/password` of tool `send`",
    "mail: password in argument `/auth/0/key` of tool `send`",
];

fn mail(store: &Arc<MemoryStore>) -> Injector {
    let argument = |tool: &str, argument: &str, secret: &str| json!({ "server": "mail", "secret": secret, "sink": { "argument": { "tool": tool, "argument": argument } } });
    injector(
        store,
        json!({ "bindings": [
            argument("send", "password", "password"),
            argument("send", "/auth/0/key", "password@1"),
            argument("send", "ungranted", "password"),
            argument("send", "unknown", "no-such-secret"),
            argument("send", "short", "short"),
        ] }),
    )
}

fn store() -> Arc<MemoryStore> {
    let short = "mail: short in argument `/short` of tool `send`";
    let unknown = "mail: no-such-secret in argument `/unknown` of tool `send`";
    let grants = [GRANTS[0], GRANTS[1], short, unknown];
    MemoryStore::with(
        &[("password", "old \"value\"\n1"), ("password", TOKEN), ("short", "abc")],
        &grants,
    )
}

/// What the tool gets, or why it gets nothing.
async fn seen(tool: &str, arguments: &str) -> Result<String, InjectError> {
    let ledger = Arc::new(MemoryLedger::default());
    let decided = call(tool, arguments);
    let mut got = None;
    let result = mail(&store())
        .run(&server("mail"), permit(&decided, &ledger), |injection| {
            let got = &mut got;
            async move {
                let arguments = injection.arguments().await?;
                *got = Some(String::from_utf8(arguments.expose().to_vec()).unwrap());
                Ok::<_, InjectError>(Bytes::new())
            }
        })
        .await;
    match result {
        Ok(_) => Ok(got.unwrap()),
        Err(RunError::Tool(error)) => {
            assert_eq!(got, None, "nothing is filled in part");
            assert_eq!(ledger.only_outcome().error, Some(error.to_string()));
            Err(error)
        }
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_declared_argument_is_filled_and_the_rest_is_as_it_was_sent() {
    for (sent, got) in [
        (r#"{"password":"secret://password"}"#, format!(r#"{{"password":"{TOKEN}"}}"#)),
        (
            r#"{ "n": 1.50e300, "password" : "a secret:\/\/password b", "x": "\u00e9 \" secret:/" }"#,
            format!(
                r#"{{ "n": 1.50e300, "password" : "a {TOKEN} b", "x": "\u00e9 \" secret:/" }}"#
            ),
        ),
        (
            r#"{"auth":[{"key":"secret://password"}],"password":"secret://password@1"}"#,
            r#"{"auth":[{"key":"old \"value\"\n1"}],"password":"old \"value\"\n1"}"#.to_owned(),
        ),
        (
            r#"{"note":"secret://h/12 is a handle"}"#,
            r#"{"note":"secret://h/12 is a handle"}"#.to_owned(),
        ),
        (
            r#"{"password":"secret://h/12 secret://password"}"#,
            format!(r#"{{"password":"secret://h/12 {TOKEN}"}}"#),
        ),
    ] {
        assert_eq!(seen("mcp__mail__send", sent).await, Ok(got), "{sent}");
    }
}

#[tokio::test]
async fn what_is_not_declared_granted_known_or_readable_is_an_error() {
    for (sent, error) in [
        (
            r#"{"body":"secret://password"}"#,
            "placeholder `secret://password` is not declared for argument `/body`",
        ),
        (
            r#"{"a":[{"b":"x secret://password@2"}]}"#,
            "placeholder `secret://password@2` is not declared for argument `/a/0/b`",
        ),
        (
            r#"{"password":"secret://other"}"#,
            "placeholder `secret://other` is not declared for argument `/password`",
        ),
        (
            r#"{"auth":[{"key":"secret://password@2"}]}"#,
            "placeholder `secret://password@2` is not declared for argument `/auth/0/key`",
        ),
        (
            r#"{"secret://password":1}"#,
            "placeholder `secret://password` is not declared for the name of an argument",
        ),
        (
            r#"{"ungranted":"secret://password"}"#,
            "placeholder `secret://password` in argument `/ungranted` of tool `send`: secret `password` is not granted \
             to server `mail` for the argument `/ungranted` of tool `send`",
        ),
        (
            r#"{"unknown":"secret://no-such-secret"}"#,
            "placeholder `secret://no-such-secret` in argument `/unknown` of tool `send`: there is no secret `no-such-secret`",
        ),
        (
            r#"{"password":"secret://password@9"}"#,
            "placeholder `secret://password@9` in argument `/password` of tool `send`: there is no secret `password`",
        ),
        (
            r#"{"password":"secret://password","x":"secret:// "}"#,
            "in argument `/x`: placeholder `secret://` has no name",
        ),
        (
            r#"{"x":"\u0053ecret://password"}"#,
            "in argument `/x`: placeholder `Secret://password` is not written in lower case",
        ),
        (
            r#"{"short":"secret://short"}"#,
            "secret `short` has fewer than 8 characters and cannot be told from ordinary text, so it is not injected",
        ),
    ] {
        let got = seen("mcp__mail__send", sent).await.unwrap_err();
        let text = match got {
            InjectError::Tool(text) => text,
            other => other.to_string(),
        };
        assert_eq!(text, error, "{sent}");
    }
}

#[tokio::test]
async fn a_declaration_is_for_one_tool_of_one_server() {
    let sent = r#"{"password":"secret://password"}"#;
    assert!(seen("mcp__mail__delete", sent).await.is_err());
    let other = seen("mcp__chat__send", sent).await.unwrap_err();
    assert_eq!(other.to_string(), "tool `mcp__chat__send` is not one of server `mail`");
}
