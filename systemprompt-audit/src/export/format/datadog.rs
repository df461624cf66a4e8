//! The Datadog log intake (`/api/v2/logs`): reserved attributes, the standard ones for people and
//! networks, and the event itself under `audit`.

use serde::Serialize;
use serde_json::{Value, json};

use super::severity::Severity;
use super::summary::summary;
use super::{PRODUCT, Producer, safe_json};
use crate::EventRecord;

#[derive(Serialize)]
struct Entry<'e> {
    ddsource: &'static str,
    ddtags: String,
    hostname: &'e str,
    service: &'static str,
    status: &'static str,
    /// Milliseconds since 1970.
    timestamp: i64,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    usr: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<Value>,
    audit: &'e EventRecord,
}

pub(super) fn encode(
    event: &EventRecord,
    producer: &Producer,
    line: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let entry = Entry {
        ddsource: PRODUCT,
        ddtags: tags(event, producer),
        hostname: &producer.host,
        service: PRODUCT,
        status: status(event),
        timestamp: event.occurred_at.as_micros().div_euclid(1000),
        message: summary(event),
        usr: event.user_id.as_ref().map(|user| json!({ "id": user })),
        network: event.client_addr.as_ref().map(|ip| json!({ "client": { "ip": ip } })),
        audit: event,
    };
    safe_json::write(&entry, line)
}

/// Tags take values from small sets only; a comma would start the next one.
fn tags(event: &EventRecord, producer: &Producer) -> String {
    let mut tags = format!("kind:{},version:{}", event.kind, producer.version);
    for (name, value) in [("decision", &event.decision), ("reason", &event.reason_code)] {
        if let Some(value) = value {
            tags.push_str(&format!(",{name}:{}", value.replace(',', "_")));
        }
    }
    tags
}

fn status(event: &EventRecord) -> &'static str {
    match Severity::of(event) {
        Severity::Informational => "info",
        Severity::Low => "notice",
        Severity::Medium => "warning",
        Severity::High => "error",
    }
}
