use crate::EventRecord;

/// One sentence about an event, for people.
pub(super) fn summary(event: &EventRecord) -> String {
    let who = event.user_id.as_deref().unwrap_or("nobody");
    match event.kind.as_str() {
        "decision" => {
            let tool = tool(event);
            match (event.decision.as_deref(), event.reason.as_deref()) {
                (Some("allow"), _) => format!("{tool} was allowed for {who}"),
                (Some("deny"), Some(reason)) => format!("{tool} was denied for {who}: {reason}"),
                (Some("deny"), None) => format!("{tool} was denied for {who}"),
                _ => format!("{tool} waits for an approval for {who}"),
            }
        }
        "outcome" => {
            let status = event.status.as_deref().unwrap_or("unknown");
            match event.error.as_deref() {
                Some(error) => format!("a tool call of {who} ended: {status}: {error}"),
                None => format!("a tool call of {who} ended: {status}"),
            }
        }
        other => other.replace('_', " "),
    }
}

fn tool(event: &EventRecord) -> String {
    let tool = event.tool.as_deref().unwrap_or("a tool");
    match event.server.as_deref() {
        Some(server) => format!("{tool} of {server}"),
        None => tool.to_owned(),
    }
}

/// Whether the event reports that data was about to leave, which is more than a refusal.
pub(super) fn is_leak(event: &EventRecord) -> bool {
    matches!(event.reason_code.as_deref(), Some("secret_detected" | "flow_violation"))
}
