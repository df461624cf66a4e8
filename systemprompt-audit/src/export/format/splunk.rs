//! Splunk HTTP Event Collector: `{time, host, source, sourcetype, index, event, fields}`; batches are
//! objects one after the other.

use serde::Serialize;

use super::fields::Fields;
use super::{Producer, safe_json};
use crate::EventRecord;

#[derive(Serialize)]
struct Event<'e> {
    /// Seconds since 1970, with fractions.
    time: String,
    host: &'e str,
    source: &'e str,
    sourcetype: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'e str>,
    event: &'e EventRecord,
    fields: Fields,
}

pub(super) fn encode(
    event: &EventRecord,
    producer: &Producer,
    index: Option<&str>,
    line: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let micros = event.occurred_at.as_micros();
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    // Indexed fields are texts, and few: they make finding events fast.
    let fields = Fields::new()
        .text("event_id", event.id)
        .set("kind", event.kind.as_str())
        .text("trace_id", event.trace_id)
        .some("decision", event.decision.as_deref())
        .some("reason_code", event.reason_code.as_deref());
    let event = Event {
        time: format!("{seconds}.{fraction:06}"),
        host: &producer.host,
        source: &event.origin,
        sourcetype: "systemprompt:audit",
        index,
        event,
        fields,
    };
    safe_json::write(&event, line)
}
