//! The governor alone, in process: no HTTP, one SQLite file for the log.
//!
//! ```console
//! $ cargo run --example governor
//! ```

#![expect(clippy::print_stdout, reason = "the example shows its decisions")]

use std::error::Error;
use std::sync::Arc;

use systemprompt::audit::{AuditLog, AuditOptions};
use systemprompt::config::{Environment, parse};
use systemprompt::database::{DatabaseOptions, DbPool, SchemaInstaller};
use systemprompt::governance::{Governor, MemoryRateStore};
use systemprompt::identifiers::{Audience, RoleId, Scope, TenantId, TokenId, UserId};
use systemprompt::models::{
    Arguments, CallContext, Decision, Door, Principal, PrincipalClaims, SystemClock, ToolCall,
    ToolRef,
};
use systemprompt::security::scan::Scanner;

const POLICY: &str = r#"
profile: example
governance:
  rules:
    - { id: everything, tools: ["*"], scopes: ["tools:use"] }
  blocklists:
    - { id: destructive, patterns: [delete] }
  limits:
    - { id: session, key: [user, session], limit: 2, window_s: 60 }
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("systemprompt-governor-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let governor = governor(&folder.join("log.db")).await?;
    let alice = alice()?;

    for (tool, arguments) in [
        ("word_count", r#"{"text": "to be or not to be"}"#),
        ("delete_everything", "{}"),
        ("word_count", r#"{"text": "-----BEGIN OPENSSH PRIVATE KEY-----"}"#),
        ("word_count", r#"{"text": "second call"}"#),
        ("word_count", r#"{"text": "one call too many"}"#),
    ] {
        let arguments = Arguments::parse(arguments)?;
        let tool = ToolRef::parse(None, tool)?;
        let call =
            ToolCall::new(alice.clone(), Door::Embedded, tool, arguments, CallContext::default());
        match governor.evaluate(call).await {
            Decision::Allow(permit) => {
                let words = permit.run(|injected| word_count(injected.arguments().clone())).await?;
                println!("allowed: {words} words");
            }
            Decision::Deny(denial) => println!("denied:  {}", denial.reason),
            Decision::Pending(approval) => println!("waiting for approval {}", approval.id),
        }
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The tool. It can only be reached with a permit.
async fn word_count(arguments: Arguments) -> Result<usize, serde_json::Error> {
    let value: serde_json::Value = arguments.deserialize()?;
    let text = value.get("text").and_then(serde_json::Value::as_str);
    Ok(text.unwrap_or_default().split_whitespace().count())
}

async fn governor(file: &std::path::Path) -> Result<Governor, Box<dyn Error>> {
    let clock = SystemClock::shared();
    let url = format!("sqlite://{}", file.display());
    let database = DbPool::open(&DatabaseOptions::new(url).create(true)).await?;
    SchemaInstaller::new(&[systemprompt::audit::schema()])?.apply(&database, &*clock).await?;
    let log = Arc::new(AuditLog::open(&database, AuditOptions::default()).await?);
    let policy = parse(POLICY, "example", &Environment::empty())?.profile.governance;
    let scanner = Scanner::builder().fingerprint_key(b"keep this key secret").build()?;
    Ok(Governor::builder()
        .policy(policy)
        .scanner(scanner)
        .rate_store(Arc::new(MemoryRateStore::new(clock.clone())))
        .audit(log.clone())
        .ledger(log)
        .clock(clock)
        .build()?)
}

/// A host that authenticates its users itself says so here, and only here.
fn alice() -> Result<Principal, Box<dyn Error>> {
    Ok(Principal::assert_authenticated(PrincipalClaims {
        tenant: TenantId::parse("default")?,
        user: UserId::parse("alice")?,
        roles: [RoleId::parse("user")?].into(),
        scopes: [Scope::parse("tools:use")?].into(),
        department: None,
        audience: Audience::parse("api")?,
        credential: TokenId::parse("session-cookie")?,
        actors: Vec::new(),
    })?)
}
