//! Placeholders: in whatever arguments, each of them is filled where it was declared, or the call gets
//! nothing; templates and declarations of whatever text are read or refused.
#![no_main]

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use async_trait::async_trait;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use systemprompt_core::call::{Arguments, CallContext, Door, ToolCall, ToolRef};
use systemprompt_core::clock::SystemClock;
use systemprompt_core::contract::{
    AuditError, OpenSecret, PermitLedger, PermitState, SecretStore, SecretStoreError, SecretUse,
    SettleError,
};
use systemprompt_core::decision::{Evaluation, Outcome, Permit, PermitClaim, PermitGrant};
use systemprompt_core::id::{
    Audience, EventId, PermitId, PolicyVersion, TenantId, TokenId, UserId,
};
use systemprompt_core::policy::OnAllow;
use systemprompt_core::principal::{Principal, PrincipalClaims};
use systemprompt_core::secret::Secret;
use systemprompt_custody::inject::{Bindings, InjectError, Injector};
use tokio::runtime::Runtime;

const VALUE: &str = "value \"of\" the secret";

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().unwrap());

static INJECTOR: LazyLock<Injector> = LazyLock::new(|| {
    let settings = json!({ "bindings": [
        { "server": "s", "secret": "a", "sink": { "argument": { "tool": "t", "argument": "a" } } },
    ] });
    let bindings = Bindings::compile(&serde_json::from_value(settings).unwrap()).unwrap();
    Injector::new(Arc::new(Open), bindings)
});

/// Hands everything out, so that what keeps a secret back is the declaration alone.
struct Open;

#[async_trait]
impl SecretStore for Open {
    async fn open(&self, usage: SecretUse<'_>) -> Result<OpenSecret, SecretStoreError> {
        let value = Secret::new(VALUE.to_owned());
        Ok(OpenSecret { name: usage.name.clone(), version: usage.version.unwrap_or(1), value })
    }
}

struct NoLedger;

#[async_trait]
impl PermitLedger for NoLedger {
    async fn settle(&self, _: PermitId, _: &Principal, _: Outcome) -> Result<(), SettleError> {
        Ok(())
    }

    fn abandon(&self, _: PermitId) {}

    async fn state(&self, _: PermitId) -> Result<PermitState, AuditError> {
        Ok(PermitState::Unknown)
    }
}

fn permit(arguments: Arguments) -> Permit {
    let principal = Principal::assert_authenticated(PrincipalClaims {
        tenant: TenantId::parse("acme").unwrap(),
        user: UserId::parse("u").unwrap(),
        roles: BTreeSet::new(),
        scopes: BTreeSet::new(),
        department: None,
        audience: Audience::api(),
        credential: TokenId::parse("k").unwrap(),
        actors: Vec::new(),
    });
    let tool = ToolRef::parse(Some("s"), "t").unwrap();
    let context = CallContext::default();
    let call = ToolCall::new(principal.unwrap(), Door::Embedded, tool, arguments, context);
    let clock = SystemClock::shared();
    Permit::assert_granted(PermitGrant {
        rewritten: false,
        restored: None,
        id: PermitId::from(EventId::generate()),
        claim: PermitClaim::default(),
        call,
        expires_at: clock.now().after(Duration::from_secs(60)),
        evaluation: Arc::new(Evaluation {
            policy_version: PolicyVersion::parse("fuzz").unwrap(),
            checks: Vec::new(),
            limits: Vec::new(),
        }),
        on_allow: OnAllow::Allow,
        ledger: Arc::new(NoLedger),
        clock,
    })
}

/// What the tool gets; `None` when it does not run.
fn filled(arguments: Arguments) -> Option<Vec<u8>> {
    let mut got = None;
    let server = "s".parse().unwrap();
    let run = INJECTOR.run(&server, permit(arguments), |injection| {
        let got = &mut got;
        async move {
            *got = Some(injection.arguments().await?.expose().to_vec());
            Ok::<_, InjectError>(bytes::Bytes::new())
        }
    });
    let ran = RUNTIME.block_on(run).is_ok();
    assert_eq!(ran, got.is_some());
    got
}

/// Whether `after` is `before` with the secret in place, at `path`.
fn same(before: &Value, after: &Value, path: &str) -> bool {
    match (before, after) {
        (Value::String(before), Value::String(after)) => {
            left_over(after).then(|| panic!("a placeholder is left: {after}"));
            before == after
                || path == "/a" && before.contains("secret://a") && after.contains(VALUE)
        }
        (Value::Array(before), Value::Array(after)) => {
            let mut pairs = before.iter().zip(after).enumerate();
            before.len() == after.len()
                && pairs.all(|(at, (b, a))| same(b, a, &format!("{path}/{at}")))
        }
        (Value::Object(before), Value::Object(after)) => {
            let below = |key: &str| format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
            before.len() == after.len()
                && before.iter().all(|(key, b)| {
                    assert!(!left_over(key), "a placeholder is left in a name: {key}");
                    after.get(key).is_some_and(|a| same(b, a, &below(key)))
                })
        }
        (before, after) => before == after,
    }
}

/// Whether there is a `secret://` that is no handle.
fn left_over(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("secret://").any(|(at, scheme)| {
        !(text[at..].starts_with("secret://") && text[at + scheme.len()..].starts_with("h/"))
    })
}

fuzz_target!(|input: &[u8]| {
    if let Ok(arguments) = Arguments::parse(input.to_vec())
        && let Some(filled) = filled(arguments)
    {
        let before: Value = serde_json::from_slice(input).expect("what is accepted is JSON");
        let after: Value = serde_json::from_slice(&filled).expect("what comes out is JSON");
        assert!(same(&before, &after, ""), "{before} became {after}");
        if !filled.windows(VALUE.len()).any(|it| it.starts_with(b"value")) {
            assert!(filled == input, "nothing was filled in, and yet it was changed");
        }
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    for settings in [
        json!({ "bindings": [{ "server": "s", "secret": "a",
            "sink": { "env": { "variable": "T", "template": text } } }] }),
        json!({ "bindings": [{ "server": "s", "secret": text,
            "sink": { "argument": { "tool": "t", "argument": text } } }] }),
        json!({ "servers": [{ "server": "s", "variables": { "T": text },
            "headers": [{ "host": text, "name": "x", "value": text }] }] }),
        json!({ "servers": [{ "server": "s", "variables": { text: "x" },
            "headers": [{ "host": "a", "name": text, "value": "x" }] }] }),
    ] {
        if let Ok(settings) = serde_json::from_value(settings) {
            drop(Bindings::compile(&settings));
        }
    }
});
