//! `audit body`.

use std::fmt::Write as _;

use systemprompt_audit::{AuditReader, FoundBodies, UnreadableBodies};
use systemprompt_core::event::RecordedBody;
use systemprompt_core::id::AiRequestId;

use super::SCOPE;
use crate::failure::Failure;
use crate::output::{Output, plain};

pub(super) async fn run(id: &str, reader: &AuditReader, output: Output) -> Result<(), Failure> {
    let request = AiRequestId::parse(id).map_err(|error| Failure::usage(error.to_string()))?;
    let found = reader.bodies(&SCOPE, &request).await.map_err(Failure::database)?;
    let bodies = match found {
        Some(FoundBodies::Readable(bodies)) => bodies,
        Some(FoundBodies::Unreadable(why)) => {
            let why = reason(why);
            return Err(Failure::not_found(format!("the bodies of `{id}` cannot be read: {why}")));
        }
        None => {
            return Err(Failure::not_found(format!(
                "no bodies are recorded of the request `{id}`; which are, `models.record_bodies` says"
            )));
        }
    };
    if output.is_json() {
        return output.value(&bodies);
    }
    let mut text = String::new();
    for (name, body) in [("request", &bodies.request), ("answer", &bodies.answer)] {
        if let Some(body) = body {
            write(&mut text, name, body);
        }
    }
    output.text(&text)
}

fn write(text: &mut String, name: &str, body: &RecordedBody) {
    let RecordedBody { sha256, bytes, cut_at, text: body } = body;
    let cut = cut_at.map(|at| format!(", cut at {at}")).unwrap_or_default();
    // Writing into a text cannot fail.
    let _ = writeln!(text, "{name}  {bytes} bytes{cut}  sha256 {}", plain(sha256));
    let _ = writeln!(text, "{}\n", plain(body.as_deref().unwrap_or_default()));
}

fn reason(why: UnreadableBodies) -> &'static str {
    match why {
        UnreadableBodies::Erased => "the caller was erased",
        UnreadableBodies::NoKey => "the profile names no `audit.encryption.key`",
        UnreadableBodies::Unavailable => {
            "the key encryption key cannot be reached, or is not the one they were encrypted with"
        }
        _ => "they are not what was recorded; `audit verify` says more",
    }
}
