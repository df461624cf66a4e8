//! What was asked and answered, recorded where the configuration says so.
//!
//! It is what went on after the policy had its way: the request as it was sent on, the answer as the caller got
//! it. What the policy lets pass with a flag is redacted all the same before it is recorded, and the audit log
//! encrypts it for the caller, or refuses it.

mod redacted;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use systemprompt_core::call::Digest;
use systemprompt_core::config::RecordBodies;
use systemprompt_core::event::{AiRequestBodies, RecordedBody};
use systemprompt_core::id::EventId;
use systemprompt_core::secret::Redact;

use self::redacted::redacted;
use super::ModelGateway;
use super::ask::Exchange;
use super::record::{Account, Awaited};

/// Which bodies are recorded, and how much of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BodyRules {
    /// Which.
    pub which: RecordBodies,
    /// Most bytes of each; what is longer is cut there.
    pub most_bytes: usize,
}

/// What is to be recorded of a request.
#[derive(Default)]
pub(super) struct Said {
    request: Option<Bytes>,
    pub(super) answer: Option<Bytes>,
}

/// SHA-256 of a stream while it is sent.
#[derive(Default)]
pub(super) struct StreamDigest(Option<Sha256>);

impl StreamDigest {
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.0.get_or_insert_default().update(piece);
    }

    /// The digest of what was sent; `None` when nothing was.
    pub(super) fn finish(&mut self) -> Option<String> {
        let digest = self.0.take()?.finalize();
        Some(Digest::from_bytes(digest.into()).to_string())
    }
}

impl ModelGateway {
    /// Notes what is asked, as it is sent on.
    pub(super) fn note_request(&self, account: &mut Account, body: &Bytes) {
        account.said.request = self.parts().bodies.which.requests().then(|| body.clone());
    }

    /// Notes a whole answer, as the caller gets it.
    pub(super) fn note_answer(&self, account: &mut Account, body: &Bytes) {
        account.answer_sha256 = Some(Digest::of(body).to_string());
        account.said.answer = self.records_answers().then(|| body.clone());
    }

    pub(super) fn records_answers(&self) -> bool {
        self.parts().bodies.which.answers()
    }

    /// Records what was asked and answered, if that is to be. As for the record itself, the answer is on its
    /// way already.
    pub(super) async fn record_bodies(
        &self,
        Exchange { caller, account, .. }: &Exchange,
        said: Said,
        awaited: Awaited,
    ) {
        let parts = self.parts();
        let (most, redact) = (parts.bodies.most_bytes, parts.redact.clone());
        let Account { id, request_sha256, answer_sha256, .. } = account;
        if said.request.is_none() && said.answer.is_none() {
            return;
        }
        let request_id = id.clone();
        let (request_sha256, answer_sha256) = (request_sha256.clone(), answer_sha256.clone());
        // Bodies are long, and other requests are waiting.
        let redacting = tokio::task::spawn_blocking(move || AiRequestBodies {
            request_id,
            request: said.request.map(|body| recorded(&body, request_sha256, most, &*redact)),
            answer: said.answer.map(|body| recorded(&body, answer_sha256, most, &*redact)),
        });
        let bodies = match redacting.await {
            Ok(bodies) => bodies,
            Err(error) => {
                return tracing::error!("the bodies of a request are not recorded: {error}");
            }
        };
        let event_id = AiRequestBodies::event_of(id).unwrap_or_else(EventId::generate);
        let event = caller.event(event_id, parts.clock.now(), bodies);
        if let Err(error) = awaited.append(&*parts.audit, event).await {
            tracing::error!("the bodies of a request are not recorded: {error}");
        }
    }
}

fn recorded(
    body: &Bytes,
    sha256: Option<String>,
    most: usize,
    redact: &dyn Redact,
) -> RecordedBody {
    let (text, was_cut) = redacted(&String::from_utf8_lossy(body), most, redact);
    RecordedBody {
        sha256: sha256.unwrap_or_else(|| Digest::of(body).to_string()),
        bytes: body.len() as u64,
        cut_at: was_cut.then_some(text.len() as u64),
        text: Some(text),
    }
}
