//! OCSF 1.9.0, class API Activity (6003). One class for all events: every one of them is a use of this
//! gateway. A denial because of a leak stays one, with `is_alert` and high severity, so that a rule finds
//! it without knowing our codes.

use serde_json::{Value, json};
use systemprompt_core::call::Digest;

use super::canonical::{canonical, exact};
use super::fields::Fields;
use super::severity::Severity;
use super::summary::{is_leak, summary};
use super::{PRODUCT, Producer, safe_json};
use crate::EventRecord;

/// The version of the schema.
const VERSION: &str = "1.9.0";
const CLASS_UID: i64 = 6003;

pub(super) fn encode(
    event: &EventRecord,
    producer: &Producer,
    line: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let mut value: Value = activity(event, producer).into();
    let mut text = String::new();
    canonical(&value, &mut text);
    let fingerprint = json!({
        "algorithm": "SHA-256",
        "algorithm_id": 3,
        "encoding": "Hex",
        "encoding_id": 1,
        "serialization": "JCS",
        "serialization_id": 2,
        "value": Digest::of(text.as_bytes()).to_string(),
    });
    if let Some(Value::Object(attestation)) = value.pointer_mut("/attestation_list/0") {
        attestation.insert("fingerprint".to_owned(), fingerprint);
    }
    safe_json::write(&value, line)
}

/// The event without its fingerprint, which is taken over exactly this.
fn activity(event: &EventRecord, producer: &Producer) -> Fields {
    let (activity_id, activity_name) = activity_of(&event.kind);
    let (severity_id, severity) = severity(event);
    let (status_id, status) = status(event);
    let fields = Fields::new()
        .set("activity_id", activity_id)
        .set("activity_name", activity_name)
        .set("category_uid", 6)
        .set("category_name", "Application Activity")
        .set("class_uid", CLASS_UID)
        .set("class_name", "API Activity")
        .set("type_uid", CLASS_UID * 100 + activity_id)
        .text("type_name", format_args!("API Activity: {activity_name}"))
        .set("severity_id", severity_id)
        .set("severity", severity)
        .set("status_id", status_id)
        .set("status", status)
        .some("status_code", event.reason_code.as_deref().or(event.status.as_deref()))
        .some("status_detail", event.reason.as_deref().or(event.error.as_deref()))
        .set("time", event.occurred_at.as_micros().div_euclid(1000))
        .some("duration", event.duration_ms.or(event.duration_us.map(|us| us / 1000)))
        .set("message", summary(event))
        .set("metadata", metadata(event, producer))
        .set("actor", actor(event))
        .set("api", api(event))
        .set("src_endpoint", source(event))
        .object("http_request", Fields::new().some("user_agent", event.user_agent.as_deref()))
        .set("trace", Fields::new().text("uid", event.trace_id))
        .set("attestation_list", json!([attestation(event)]));
    security_control(ai_operation(fields, event), event).object("unmapped", unmapped(event))
}

fn metadata(event: &EventRecord, producer: &Producer) -> Fields {
    let mut profiles = vec!["ai_operation", "record_integrity", "trace"];
    if event.decision.is_some() {
        profiles.insert(2, "security_control");
    }
    let product = json!({
        "name": PRODUCT, "vendor_name": PRODUCT, "version": &*producer.version,
    });
    Fields::new()
        .set("version", VERSION)
        .set("profiles", profiles)
        .set("product", product)
        .text("uid", event.id)
        .set("event_code", event.kind.as_str())
        .set("log_name", event.origin.as_str())
        .set("log_provider", PRODUCT)
        .set("sequence", event.seq)
        .some("tenant_uid", event.tenant_id.as_deref())
        .some("correlation_uid", event.call_id.as_deref())
        .text("original_time", event.occurred_at)
}

/// The user; the system itself where there is none.
fn actor(event: &EventRecord) -> Fields {
    let session = Fields::new()
        .some("uid", event.session_id.as_deref())
        .some("credential_uid", event.credential_id.as_deref());
    let application = Fields::new().set("name", PRODUCT).set("uid", event.origin.as_str());
    let Some(user) = event.user_id.as_deref() else {
        return Fields::new().object("application", application).object("session", session);
    };
    let org = Fields::new()
        .some("uid", event.tenant_id.as_deref())
        .some("ou_name", event.department.as_deref());
    let user = Fields::new()
        .set("uid", user)
        .set("name", user)
        .some("credential_uid", event.credential_id.as_deref())
        .object("org", org);
    Fields::new().object("user", user).object("session", session)
}

fn api(event: &EventRecord) -> Fields {
    let service = event.server.as_deref().or(event.door.as_deref()).unwrap_or(PRODUCT);
    Fields::new()
        .set("operation", event.tool.as_deref().unwrap_or(&event.kind))
        .set("service", Fields::new().set("name", service))
        .object("request", Fields::new().some("uid", event.call_id.as_deref()))
}

/// The client; the gateway itself for what did not come over a network.
fn source(event: &EventRecord) -> Fields {
    match event.client_addr.as_deref() {
        Some(addr) => Fields::new().set("ip", addr),
        None => Fields::new().set("instance_uid", event.origin.as_str()),
    }
}

fn ai_operation(fields: Fields, event: &EventRecord) -> Fields {
    let Some(tool) = event.tool.as_deref() else { return fields };
    let context = Fields::new()
        .set("ai_role_id", 3)
        .set("ai_role", "Tool")
        .set("name", tool)
        .set("service", Fields::new().set("name", event.server.as_deref().unwrap_or(PRODUCT)))
        .some("uid", event.call_id.as_deref());
    let agent = event.agent_id.as_deref().map(|agent| {
        Fields::new()
            .set("uid", agent)
            .set("name", agent)
            .set("type_id", 0)
            .set("type", "Unknown")
            .some("instance_uid", event.session_id.as_deref())
    });
    fields
        .set("message_context", context)
        .some("ai_agent", agent)
        .set("resources", json!([{ "name": tool, "type": "tool" }]))
}

fn security_control(fields: Fields, event: &EventRecord) -> Fields {
    let Some(decision) = event.decision.as_deref() else { return fields };
    let (action_id, action, disposition_id, disposition) = match decision {
        "allow" => (1, "Allowed", 1, "Allowed"),
        "deny" => (2, "Denied", 2, "Blocked"),
        _ => (99, "Pending", 14, "Delayed"),
    };
    let policy = Fields::new()
        .set("name", "governance")
        .some("uid", event.policy_version.as_deref())
        .some("version", event.policy_version.as_deref());
    fields
        .set("action_id", action_id)
        .set("action", action)
        .set("disposition_id", disposition_id)
        .set("disposition", disposition)
        .set("is_alert", is_leak(event))
        .set("policy", policy)
}

/// `chain_uid` is the log, whose own leaf hash is in `unmapped`.
fn attestation(event: &EventRecord) -> Value {
    json!({
        "uid": event.id.to_string(),
        "authority_uid": PRODUCT,
        "chain_uid": event.origin,
    })
}

/// What OCSF has no name for.
fn unmapped(event: &EventRecord) -> Fields {
    let evaluation = event.evaluation.as_ref().and_then(|value| serde_json::to_value(value).ok());
    Fields::new()
        .some("context_id", event.context_id.as_deref())
        .some("task_id", event.task_id.as_deref())
        .some("plugin_id", event.plugin_id.as_deref())
        .some("door", event.door.as_deref())
        .some("actor_chain", event.actor_chain.clone())
        .some_text("arguments_digest", event.arguments_digest)
        .some("arguments_bytes", event.arguments_bytes)
        .some_text("call_digest", event.call_digest)
        .some("reason_data", event.reason_data.as_ref().map(exact))
        .some("evaluation", evaluation.as_ref().map(exact))
        .some("duration_us", event.duration_us)
        .some_text("permit_id", event.permit_id)
        .some_text("expires_at", event.expires_at)
        .some("result_bytes", event.result_bytes)
        .some_text("result_digest", event.result_digest)
        .some("detail", event.detail.as_ref().map(exact))
        .set("leaf_hash", event.leaf_hash.as_str())
}

fn activity_of(kind: &str) -> (i64, &'static str) {
    match kind {
        "tenant_created" | "user_created" | "key_created" | "secret_created" | "secret_granted" => {
            (1, "Create")
        }
        "secret_used" | "secret_denied" => (2, "Read"),
        "policy_loaded" | "schema_migrated" | "secret_rotated" | "secret_rewrapped" => {
            (3, "Update")
        }
        "key_revoked" | "token_revoked" | "secret_revoked" => (4, "Delete"),
        "decision" => (99, "Tool call decided"),
        "outcome" => (99, "Tool call ended"),
        _ => (99, "Other"),
    }
}

fn severity(event: &EventRecord) -> (i64, &'static str) {
    match Severity::of(event) {
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
    }
}

fn status(event: &EventRecord) -> (i64, &'static str) {
    let (decision, outcome) = (event.decision.as_deref(), event.status.as_deref());
    match (event.kind.as_str(), decision.or(outcome)) {
        (_, Some("allow" | "success")) => (1, "Success"),
        (_, Some("deny" | "failed" | "timeout")) => (2, "Failure"),
        (_, Some("pending")) => (99, "Pending"),
        (_, Some("abandoned")) => (99, "Abandoned"),
        ("auth_refused" | "policy_rejected" | "secret_denied", _) => (2, "Failure"),
        _ => (1, "Success"),
    }
}
