//! OpenTelemetry logs: the JSON encoding of `ExportLogsServiceRequest` (OTLP 1.x). 64-bit numbers are
//! texts, trace ids are hex. Names follow the semantic conventions for generative AI, which are still
//! in development.

use std::io::Write as _;

use serde_json::{Value, json};

use super::fields::Fields;
use super::severity::Severity;
use super::summary::summary;
use super::{PRODUCT, Producer, safe_json};
use crate::EventRecord;

/// Appends what comes before the records of a request.
pub(super) fn open(producer: &Producer, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let resource = json!({ "attributes": [
        text("service.name", PRODUCT),
        text("service.version", &producer.version),
        text("host.name", &producer.host),
    ] });
    out.extend_from_slice(b"{\"resourceLogs\":[{\"resource\":");
    safe_json::write(&resource, out)?;
    out.extend_from_slice(b",\"scopeLogs\":[{\"scope\":");
    safe_json::write(&json!({ "name": "systemprompt.audit", "version": &*producer.version }), out)?;
    out.write_all(b",\"logRecords\":[").map_err(serde_json::Error::io)
}

/// Appends what comes after the records.
pub(super) fn close(out: &mut Vec<u8>) {
    out.extend_from_slice(b"]}]}]}");
}

/// Appends one `LogRecord`.
pub(super) fn encode(event: &EventRecord, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let (number, text) = severity(event);
    let nanos = i128::from(event.occurred_at.as_micros()) * 1000;
    let record = Fields::new()
        .text("timeUnixNano", nanos)
        .text("observedTimeUnixNano", nanos)
        .set("severityNumber", number)
        .set("severityText", text)
        .text("eventName", format_args!("systemprompt.audit.{}", event.kind))
        .text("traceId", event.trace_id)
        .set("body", json!({ "stringValue": summary(event) }))
        .set("attributes", attributes(event));
    safe_json::write(&record, line)
}

/// `SeverityNumber`: INFO, INFO2, WARN, ERROR.
fn severity(event: &EventRecord) -> (i64, &'static str) {
    match Severity::of(event) {
        Severity::Informational => (9, "INFO"),
        Severity::Low => (10, "INFO2"),
        Severity::Medium => (13, "WARN"),
        Severity::High => (17, "ERROR"),
    }
}

fn attributes(event: &EventRecord) -> Value {
    let mut list = Attributes(Vec::new());
    list.text("log.record.uid", Some(event.id.to_string()));
    list.text("gen_ai.operation.name", event.tool.as_ref().map(|_| "execute_tool"));
    list.text("gen_ai.tool.name", event.tool.as_deref());
    list.text("gen_ai.tool.call.id", event.call_id.as_deref());
    list.text("gen_ai.agent.id", event.agent_id.as_deref());
    list.text("gen_ai.conversation.id", event.session_id.as_deref());
    list.text("user.id", event.user_id.as_deref());
    list.text("client.address", event.client_addr.as_deref());
    list.text("user_agent.original", event.user_agent.as_deref());
    list.text("error.type", error_type(event));
    list.text("systemprompt.origin", Some(event.origin.as_str()));
    list.number("systemprompt.seq", Some(event.seq));
    list.text("systemprompt.server", event.server.as_deref());
    list.text("systemprompt.tenant_id", event.tenant_id.as_deref());
    list.text("systemprompt.department", event.department.as_deref());
    list.text("systemprompt.credential_id", event.credential_id.as_deref());
    list.list("systemprompt.actor_chain", event.actor_chain.as_deref());
    list.text("systemprompt.context_id", event.context_id.as_deref());
    list.text("systemprompt.task_id", event.task_id.as_deref());
    list.text("systemprompt.plugin_id", event.plugin_id.as_deref());
    list.text("systemprompt.door", event.door.as_deref());
    list.text("systemprompt.decision", event.decision.as_deref());
    list.text("systemprompt.reason_code", event.reason_code.as_deref());
    list.text("systemprompt.reason", event.reason.as_deref());
    list.text("systemprompt.reason_data", event.reason_data.as_ref().map(Value::to_string));
    list.text("systemprompt.evaluation", event.evaluation.as_ref().map(ToString::to_string));
    list.text("systemprompt.policy_version", event.policy_version.as_deref());
    list.text("systemprompt.arguments_digest", event.arguments_digest.map(|d| d.to_string()));
    list.number("systemprompt.arguments_bytes", event.arguments_bytes);
    list.text("systemprompt.call_digest", event.call_digest.map(|d| d.to_string()));
    list.number("systemprompt.duration_us", event.duration_us);
    list.number("systemprompt.duration_ms", event.duration_ms);
    list.text("systemprompt.permit_id", event.permit_id.map(|id| id.to_string()));
    list.text("systemprompt.expires_at", event.expires_at.map(|at| at.to_string()));
    list.text("systemprompt.status", event.status.as_deref());
    list.number("systemprompt.result_bytes", event.result_bytes);
    list.text("systemprompt.result_digest", event.result_digest.map(|d| d.to_string()));
    list.text("systemprompt.error", event.error.as_deref());
    list.text("systemprompt.detail", event.detail.as_ref().map(Value::to_string));
    list.text("systemprompt.leaf_hash", Some(event.leaf_hash.as_str()));
    Value::Array(list.0)
}

fn error_type(event: &EventRecord) -> Option<&str> {
    let failed = event.status.as_deref().filter(|status| *status != "success");
    event.reason_code.as_deref().or(failed)
}

struct Attributes(Vec<Value>);

impl Attributes {
    fn text(&mut self, key: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            let value: String = value.into();
            self.0.push(json!({ "key": key, "value": { "stringValue": value } }));
        }
    }

    fn number(&mut self, key: &str, value: Option<i64>) {
        if let Some(value) = value {
            self.0.push(json!({ "key": key, "value": { "intValue": value.to_string() } }));
        }
    }

    fn list(&mut self, key: &str, values: Option<&[String]>) {
        if let Some(values) = values {
            let values: Vec<_> =
                values.iter().map(|value| json!({ "stringValue": value })).collect();
            self.0.push(json!({ "key": key, "value": { "arrayValue": { "values": values } } }));
        }
    }
}
