//! Elastic Common Schema; `gen_ai.*` as ECS took it over from OpenTelemetry.

use serde_json::{Value, json};

use super::fields::Fields;
use super::severity::Severity;
use super::summary::{is_leak, summary};
use super::{PRODUCT, Producer, safe_json};
use crate::EventRecord;

/// The version of ECS.
const VERSION: &str = "9.2.0";

pub(super) fn encode(
    event: &EventRecord,
    producer: &Producer,
    line: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let user =
        Fields::new().some("id", event.user_id.as_deref()).some("name", event.user_id.as_deref());
    let rule = Fields::new()
        .some("id", event.reason_code.as_deref())
        .some("version", event.policy_version.as_deref());
    let error = Fields::new().some("message", event.error.as_deref());
    let service = Fields::new()
        .set("name", PRODUCT)
        .set("version", &*producer.version)
        .set("node", Fields::new().set("name", event.origin.as_str()));
    let fields = Fields::new()
        .text("@timestamp", event.occurred_at)
        .set("ecs", json!({ "version": VERSION }))
        .set("message", summary(event))
        .set("event", about(event))
        .object("user", user)
        .object("organization", Fields::new().some("id", event.tenant_id.as_deref()))
        .object("source", Fields::new().some("ip", event.client_addr.as_deref()))
        .object("user_agent", Fields::new().some("original", event.user_agent.as_deref()))
        .object("rule", rule)
        .object("error", error)
        .object("gen_ai", gen_ai(event))
        .object("related", related(event))
        .set("trace", Fields::new().text("id", event.trace_id))
        .set("host", Fields::new().set("name", &*producer.host))
        .set("service", service)
        .set(PRODUCT, own(event));
    safe_json::write(&fields, line)
}

fn about(event: &EventRecord) -> Fields {
    let (categories, types) = categories(event);
    let kind = if is_leak(event) { "alert" } else { "event" };
    let micros = event.duration_us.or(event.duration_ms.map(|ms| ms.saturating_mul(1000)));
    Fields::new()
        .text("id", event.id)
        .set("kind", kind)
        .set("category", categories)
        .set("type", types)
        .set("action", event.tool.as_deref().unwrap_or(&event.kind))
        .set("code", event.kind.as_str())
        .set("outcome", outcome(event))
        .some("reason", event.reason.as_deref())
        .set("severity", severity(event))
        .set("sequence", event.seq)
        .some("duration", micros.map(|us| us.saturating_mul(1000)))
        .set("module", PRODUCT)
        .set("dataset", "systemprompt.audit")
        .set("provider", event.origin.as_str())
        .set("hash", event.leaf_hash.as_str())
}

fn categories(event: &EventRecord) -> (Value, Value) {
    match (event.kind.as_str(), event.decision.as_deref()) {
        (_, Some("allow")) => (json!(["api"]), json!(["access", "allowed"])),
        (_, Some("deny")) if is_leak(event) => {
            (json!(["api", "intrusion_detection"]), json!(["denied"]))
        }
        (_, Some("deny")) => (json!(["api"]), json!(["access", "denied"])),
        ("decision", _) => (json!(["api"]), json!(["access", "info"])),
        ("outcome", _) => (json!(["api"]), json!(["end"])),
        ("auth_refused", _) => (json!(["authentication"]), json!(["start"])),
        ("tenant_created" | "user_created" | "key_created", _) => {
            (json!(["iam"]), json!(["user", "creation"]))
        }
        ("secret_created" | "secret_granted", _) => (json!(["configuration"]), json!(["creation"])),
        ("secret_rotated" | "secret_rewrapped", _) => (json!(["configuration"]), json!(["change"])),
        ("secret_revoked", _) => (json!(["configuration"]), json!(["deletion"])),
        ("secret_used", _) => (json!(["api"]), json!(["access", "allowed"])),
        ("secret_denied", _) => (json!(["api"]), json!(["access", "denied"])),
        ("key_revoked" | "token_revoked", _) => (json!(["iam"]), json!(["user", "deletion"])),
        ("policy_loaded" | "policy_rejected" | "governance_disabled" | "schema_migrated", _) => {
            (json!(["configuration"]), json!(["change"]))
        }
        ("server_started", _) => (json!(["process"]), json!(["start"])),
        ("server_stopped", _) => (json!(["process"]), json!(["end"])),
        _ => (json!(["api"]), json!(["info"])),
    }
}

fn outcome(event: &EventRecord) -> &'static str {
    match (event.kind.as_str(), event.decision.as_deref().or(event.status.as_deref())) {
        (_, Some("allow" | "success")) => "success",
        (_, Some("deny" | "failed" | "timeout"))
        | ("auth_refused" | "policy_rejected" | "secret_denied", _) => "failure",
        (_, Some(_)) => "unknown",
        _ => "success",
    }
}

/// 1 to 100, as Elastic's own rules count.
fn severity(event: &EventRecord) -> i64 {
    match Severity::of(event) {
        Severity::Informational => 1,
        Severity::Low => 21,
        Severity::Medium => 47,
        Severity::High => 73,
    }
}

fn gen_ai(event: &EventRecord) -> Fields {
    let operation = event.tool.as_deref().map(|_| "execute_tool");
    let agent =
        Fields::new().some("id", event.agent_id.as_deref()).some("name", event.agent_id.as_deref());
    let tool = Fields::new()
        .some("name", event.tool.as_deref())
        .object("call", Fields::new().some("id", event.call_id.as_deref()));
    Fields::new()
        .object("operation", Fields::new().some("name", operation))
        .object("agent", agent)
        .object("tool", tool)
}

fn related(event: &EventRecord) -> Fields {
    let users = event.user_id.iter().chain(event.actor_chain.iter().flatten());
    let users: Vec<&str> = users.map(String::as_str).collect();
    Fields::new()
        .some("user", (!users.is_empty()).then_some(users))
        .some("ip", event.client_addr.as_deref().map(|ip| vec![ip]))
}

/// What ECS has no name for. Free data is kept as text: fields of every shape would grow the mapping of
/// the index without bound.
fn own(event: &EventRecord) -> Fields {
    Fields::new()
        .set("origin", event.origin.as_str())
        .some("decision", event.decision.as_deref())
        .some("status", event.status.as_deref())
        .some("server", event.server.as_deref())
        .some("session_id", event.session_id.as_deref())
        .some("context_id", event.context_id.as_deref())
        .some("task_id", event.task_id.as_deref())
        .some("department", event.department.as_deref())
        .some("credential_id", event.credential_id.as_deref())
        .some("actor_chain", event.actor_chain.clone())
        .some("plugin_id", event.plugin_id.as_deref())
        .some("door", event.door.as_deref())
        .some_text("arguments_digest", event.arguments_digest)
        .some("arguments_bytes", event.arguments_bytes)
        .some_text("call_digest", event.call_digest)
        .some_text("reason_data", event.reason_data.as_ref())
        .some_text("evaluation", event.evaluation.as_ref())
        .some_text("permit_id", event.permit_id)
        .some_text("expires_at", event.expires_at)
        .some("result_bytes", event.result_bytes)
        .some_text("result_digest", event.result_digest)
        .some_text("detail", event.detail.as_ref())
}
