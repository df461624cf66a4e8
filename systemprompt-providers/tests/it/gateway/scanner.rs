use async_trait::async_trait;
use parking_lot::Mutex;
use systemprompt_core::content::{Content, ContentBody, ContentVerdict, Inspection, StreamOrigin};
use systemprompt_core::contract::{Inspect, InspectStream};
use systemprompt_core::decision::{DenialReason, SecretLocation};
use systemprompt_core::policy::SecretDirection;

/// A secret that is redacted.
pub(super) const PLANTED: &str = "sk-PLANTED-0123456789";

/// What stands in its place.
pub(super) const REDACTED: &str = "[redacted:planted]";

/// A secret with which nothing goes on.
pub(super) const CANARY: &str = "cn-CANARY-9876543210";

/// With this the scanner itself fails.
pub(super) const FAULT: &str = "fault-of-the-scanner";

/// Looks for the two secrets, however a text is cut.
#[derive(Default)]
pub(super) struct Scanner(pub(super) Mutex<Vec<SecretDirection>>);

#[async_trait]
impl Inspect for Scanner {
    async fn inspect(&self, content: Content<'_>) -> Inspection {
        self.0.lock().push(content.origin.direction);
        let (ContentBody::Text(text) | ContentBody::Json(text)) = content.body;
        assert!(!text.contains(FAULT), "as it should");
        if text.contains(CANARY) {
            return Inspection::withheld(reason());
        }
        if !text.contains(PLANTED) {
            return Inspection::pass();
        }
        let verdict = ContentVerdict::Rewritten(text.replace(PLANTED, REDACTED));
        Inspection { verdict, findings: Vec::new() }
    }

    fn inspect_stream(&self, origin: StreamOrigin) -> Box<dyn InspectStream> {
        self.0.lock().push(origin.direction);
        Box::new(Stream(String::new()))
    }
}

fn reason() -> DenialReason {
    DenialReason::SecretDetected {
        rule: "canary".into(),
        location: SecretLocation::new("$".to_owned()),
        fingerprint: "f00d".into(),
    }
}

/// Holds back what may be the beginning of a secret.
struct Stream(String);

#[async_trait]
impl InspectStream for Stream {
    async fn push(&mut self, piece: &str) -> Result<String, DenialReason> {
        self.0.push_str(piece);
        assert!(!self.0.contains(FAULT), "as it should");
        if self.0.contains(CANARY) {
            return Err(reason());
        }
        self.0 = self.0.replace(PLANTED, REDACTED);
        let starts = |at: &usize| {
            let rest = &self.0[*at..];
            [PLANTED, CANARY, FAULT].iter().any(|secret| secret.starts_with(rest))
        };
        let places = self.0.char_indices().map(|(at, _)| at);
        let held = places.clone().find(starts).unwrap_or(self.0.len());
        let rest = self.0.split_off(held);
        Ok(std::mem::replace(&mut self.0, rest))
    }

    async fn finish(&mut self) -> Result<String, DenialReason> {
        Ok(std::mem::take(&mut self.0))
    }
}
