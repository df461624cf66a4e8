//! The header of a syslog message (RFC 5424 section 6).

use std::io::Write as _;

use super::severity::Severity;
use super::{PRODUCT, Producer};
use crate::EventRecord;

/// Facility 13, "log audit".
const FACILITY: u8 = 13;

/// Appends everything before the message: priority, version, time, host, program, process (`-`: the
/// log is what counts, not who wrote it), kind of message, and no structured data.
pub(super) fn header(
    event: &EventRecord,
    producer: &Producer,
    line: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let severity = match Severity::of(event) {
        Severity::Informational => 6,
        Severity::Low => 5,
        Severity::Medium => 4,
        Severity::High => 3,
    };
    let priority = FACILITY * 8 + severity;
    let (host, kind) = (name(&producer.host, 255), name(&event.kind, 32));
    let at = event.occurred_at;
    write!(line, "<{priority}>1 {at} {host} {PRODUCT} - {kind} - ").map_err(serde_json::Error::io)
}

/// A name of at most `limit` visible ASCII characters; `-` when nothing is left.
fn name(text: &str, limit: usize) -> String {
    let name: String = text.chars().filter(char::is_ascii_graphic).take(limit).collect();
    if name.is_empty() { "-".to_owned() } else { name }
}
