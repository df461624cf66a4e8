//! ArcSight Common Event Format (CEF implementation standard, version 0 of the header).

use std::fmt::{self, Write as _};
use std::io::Write as _;

use super::safe_json::is_hidden;
use super::severity::Severity;
use super::summary::summary;
use super::{PRODUCT, Producer};
use crate::EventRecord;

pub(super) fn encode(
    event: &EventRecord,
    producer: &Producer,
    line: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let mut text = String::from("CEF:0");
    let signature = event.reason_code.as_deref().unwrap_or(&event.kind);
    let name = event.kind.replace('_', " ");
    let severity = severity(event).to_string();
    for part in [PRODUCT, PRODUCT, &producer.version, signature, &name, &severity] {
        // Writing to a string does not fail.
        let _ = write!(text, "|{}", Header(part));
    }
    text.push('|');
    Extension { text: &mut text, first: true }.event(event, producer);
    line.write_all(text.as_bytes()).map_err(serde_json::Error::io)
}

/// 0 to 10.
fn severity(event: &EventRecord) -> u8 {
    match Severity::of(event) {
        Severity::Informational => 1,
        Severity::Low => 3,
        Severity::Medium => 6,
        Severity::High => 9,
    }
}

/// `key=value` pairs.
struct Extension<'t> {
    text: &'t mut String,
    first: bool,
}

impl Extension<'_> {
    fn event(&mut self, event: &EventRecord, producer: &Producer) {
        self.add("rt", event.occurred_at.as_micros().div_euclid(1000));
        self.add("externalId", event.id);
        self.add("cat", &event.kind);
        self.add("dvchost", &producer.host);
        self.add("deviceExternalId", &event.origin);
        self.some("act", event.decision.as_ref());
        self.some("outcome", event.status.as_ref());
        self.some("reason", event.reason_code.as_ref());
        self.some("suser", event.user_id.as_ref());
        self.some("suid", event.credential_id.as_ref());
        self.some("sntdom", event.tenant_id.as_ref());
        match event.client_addr.as_ref() {
            Some(addr) if addr.contains(':') => self.labelled("c6a2", "sourceIPv6", addr),
            addr => self.some("src", addr),
        }
        self.some("requestClientApplication", event.user_agent.as_ref());
        self.some("destinationServiceName", event.server.as_ref());
        self.some("in", event.arguments_bytes);
        self.some("out", event.result_bytes);
        for (key, label, value) in [
            ("cs1", "tool", &event.tool),
            ("cs2", "agentId", &event.agent_id),
            ("cs3", "sessionId", &event.session_id),
            ("cs4", "traceId", &Some(event.trace_id.to_string())),
            ("cs5", "policyVersion", &event.policy_version),
            ("cs6", "callId", &event.call_id),
            ("flexString1", "leafHash", &Some(event.leaf_hash.clone())),
            ("flexString2", "door", &event.door),
        ] {
            if let Some(value) = value {
                self.labelled(key, label, value);
            }
        }
        self.labelled("cn1", "seq", event.seq);
        if let Some(micros) = event.duration_us {
            self.labelled("cn2", "durationUs", micros);
        }
        if let Some(millis) = event.duration_ms {
            self.labelled("cn3", "durationMs", millis);
        }
        self.own(event);
        self.add("msg", summary(event));
    }

    /// Keys of our own, where the standard has none.
    fn own(&mut self, event: &EventRecord) {
        self.some("spDepartment", event.department.as_ref());
        self.some("spContextId", event.context_id.as_ref());
        self.some("spTaskId", event.task_id.as_ref());
        self.some("spPluginId", event.plugin_id.as_ref());
        self.some("spActorChain", event.actor_chain.as_ref().map(|chain| chain.join(",")));
        self.some("spArgumentsDigest", event.arguments_digest);
        self.some("spCallDigest", event.call_digest);
        self.some("spReasonData", event.reason_data.as_ref());
        self.some("spEvaluation", event.evaluation.as_ref());
        self.some("spPermitId", event.permit_id);
        self.some("spResultDigest", event.result_digest);
        self.some("spError", event.error.as_ref());
        self.some("spDetail", event.detail.as_ref());
    }

    fn add(&mut self, key: &str, value: impl fmt::Display) {
        if !std::mem::take(&mut self.first) {
            self.text.push(' ');
        }
        let _ = write!(self.text, "{key}=");
        let _ = write!(Escaped(self.text), "{value}");
    }

    fn some(&mut self, key: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.add(key, value);
        }
    }

    fn labelled(&mut self, key: &str, label: &str, value: impl fmt::Display) {
        self.add(key, value);
        self.add(&format!("{key}Label"), label);
    }
}

/// Writes the value of an extension: `\` and `=` escaped, line breaks as `\n` and `\r`, and what else
/// does not show spelled out as `\\u{1b}`, which readers give back as `\u{1b}`.
struct Escaped<'t>(&'t mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, value: &str) -> fmt::Result {
        for character in value.chars() {
            match character {
                '\\' => self.0.push_str("\\\\"),
                '=' => self.0.push_str("\\="),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                hidden if is_hidden(hidden) => {
                    write!(self.0, "\\\\u{{{:x}}}", u32::from(hidden))?;
                }
                other => self.0.push(other),
            }
        }
        Ok(())
    }
}

/// A part of the header: `\` and `|` escaped, no line breaks.
struct Header<'t>(&'t str);

impl fmt::Display for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '\\' | '|' => write!(f, "\\{character}")?,
                hidden if is_hidden(hidden) => write!(f, "\\\\u{{{:x}}}", u32::from(hidden))?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}
