use std::fmt;
use std::sync::Arc;

use systemprompt_core::api::Authenticate;
use systemprompt_core::call::ToolCall;
use systemprompt_core::clock::{Clock, SystemClock};
use systemprompt_core::contract::{AuditSink, Decide, Inspect, PermitLedger, RejectedCall};
use systemprompt_core::decision::Decision;
use systemprompt_core::secret::Redact;

use crate::record::one_line;

/// Most calls one batch may hold.
pub const MAX_BATCH: usize = 100;

/// Longest name a caller gave something that is recorded or repeated, in bytes.
const MAX_TEXT_BYTES: usize = 255;

/// Longest message of a caller's that is recorded, in bytes.
const MAX_MESSAGE_BYTES: usize = 4096;

/// Longest request body, in bytes, unless set otherwise.
const BODY_LIMIT: usize = 1024 * 1024;

/// What the doors are connected to. Cloning is cheap.
#[derive(Clone)]
pub struct Doors {
    /// Who decides.
    pub decide: Arc<dyn Decide>,
    /// What looks through results and other texts on their way to a model.
    pub inspect: Arc<dyn Inspect>,
    /// Where permits are settled.
    pub ledger: Arc<dyn PermitLedger>,
    /// Who finds out who is calling.
    pub authenticate: Arc<dyn Authenticate>,
    /// Where tracked events go.
    pub audit: Arc<dyn AuditSink>,
    /// What removes secrets from texts that are recorded or repeated.
    pub redact: Arc<dyn Redact>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Longest request body, in bytes.
    pub body_limit: usize,
}

impl Doors {
    /// Doors to who decides and looks through texts, with the system's clock and a body limit of 1 MiB.
    #[must_use]
    pub fn new(
        governor: (Arc<dyn Decide>, Arc<dyn Inspect>),
        ledger: Arc<dyn PermitLedger>,
        authenticate: Arc<dyn Authenticate>,
        audit: Arc<dyn AuditSink>,
        redact: Arc<dyn Redact>,
    ) -> Self {
        let (decide, inspect) = governor;
        Self {
            decide,
            inspect,
            ledger,
            authenticate,
            audit,
            redact,
            clock: SystemClock::shared(),
            body_limit: BODY_LIMIT,
        }
    }

    /// Decides what could be read and records what could not.
    pub(super) async fn decide(&self, call: Result<ToolCall, Box<RejectedCall>>) -> Decision {
        match call {
            Ok(call) => self.decide.decide(call).await,
            Err(rejected) => self.decide.reject(*rejected).await,
        }
    }

    /// A caller's own name for something, safe to record or to repeat: without secrets, on one line,
    /// cut.
    pub(super) fn safe_text(&self, text: &str) -> String {
        self.safe(text, MAX_TEXT_BYTES)
    }

    /// A caller's own words, safe to record.
    pub(super) fn safe_message(&self, text: &str) -> String {
        self.safe(text, MAX_MESSAGE_BYTES)
    }

    fn safe(&self, text: &str, limit: usize) -> String {
        let text = self.redact.redact(text);
        cut(&one_line(text), limit).to_owned()
    }
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors").field("body_limit", &self.body_limit).finish_non_exhaustive()
    }
}

/// The first `limit` bytes of `text`, less what would split a character.
fn cut(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}
