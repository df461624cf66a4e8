//! A check of your own, beside the four that are built in. It may only deny.
//!
//! ```console
//! $ cargo run --example custom_check
//! ```

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use systemprompt::identifiers::Audience;
use systemprompt::models::{Arguments, CallContext, Decision, Door, ToolCall, ToolRef};
use systemprompt::runtime::App;
use systemprompt::traits::{Check, CheckFailure, CheckVerdict, TokenVerifier as _};

/// Nobody writes outside of `/workspace`.
struct StaysInWorkspace;

#[async_trait]
impl Check for StaysInWorkspace {
    fn id(&self) -> &str {
        "stays-in-workspace"
    }

    async fn check(&self, call: &ToolCall) -> Result<CheckVerdict, CheckFailure> {
        if call.tool().name().as_str() != "Write" {
            return Ok(CheckVerdict::Pass);
        }
        let arguments: serde_json::Value =
            call.arguments().deserialize().map_err(|error| CheckFailure(error.to_string()))?;
        let path =
            arguments.get("file_path").and_then(serde_json::Value::as_str).unwrap_or_default();
        if Path::new(path).starts_with("/workspace") && !path.contains("..") {
            return Ok(CheckVerdict::Pass);
        }
        Ok(CheckVerdict::Deny { detail: "write below /workspace only".to_owned() })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::temp_dir().join(format!("systemprompt-check-{}", std::process::id()));
    let check = Arc::new(StaysInWorkspace);
    let app = App::builder().check(check).installation(&data).await?.start().await?;
    let key = std::fs::read_to_string(data.join("user.key"))?;
    let caller = app.verifier().verify(&key, &Audience::api()).await?;

    for arguments in [
        r#"{"file_path": "/workspace/notes.md", "content": "hello"}"#,
        r#"{"file_path": "/etc/passwd", "content": "hello"}"#,
    ] {
        let call = ToolCall::new(
            caller.clone(),
            Door::Embedded,
            ToolRef::parse(None, "Write")?,
            Arguments::parse(arguments)?,
            CallContext::default(),
        );
        let line = match app.governor().evaluate(call).await {
            Decision::Allow(_permit) => "allowed".to_owned(),
            Decision::Deny(denial) => format!("denied: {}", denial.reason),
            Decision::Pending(_) => "waiting for a person".to_owned(),
        };
        writeln!(std::io::stdout(), "{arguments}\n  {line}")?;
    }
    app.shutdown().await;
    std::fs::remove_dir_all(&data)?;
    Ok(())
}
