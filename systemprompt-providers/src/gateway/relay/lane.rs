use systemprompt_core::content::ContentVerdict;
use systemprompt_core::llm::Dialect;

use super::Relay;
use super::head::Head;
use super::joint::Joint;
use super::watch::Watch;
use crate::dialect::{Front, Reply, StreamEncoder};
use crate::gateway::refusal::withheld;
use crate::sse::Frame;

/// Frames that leave as they came.
pub(super) struct Lane {
    pub(super) front: &'static dyn Front,
    pub(super) reply: Reply,
    /// Whether they still do.
    pub(super) open: bool,
    /// Whether the encoder knows what the answer says of itself.
    pub(super) begun: bool,
    pub(super) watch: Watch,
    pub(super) joint: Joint,
}

impl Lane {
    pub(super) fn new(front: &'static dyn Front, reply: &Reply) -> Self {
        let dialect = front.dialect();
        Self {
            front,
            reply: reply.clone(),
            open: true,
            begun: false,
            watch: Watch::new(dialect),
            joint: Joint::new(dialect),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.front.dialect()
    }
}

impl Relay {
    /// Whether frames leave as they came.
    pub(super) fn bytes_pass(&self) -> bool {
        self.lane.as_ref().is_some_and(|lane| lane.open)
    }

    /// From now on the encoder is heard.
    pub(super) fn close_lane(&mut self) {
        if let Some(lane) = &mut self.lane {
            lane.open = false;
        }
    }

    /// Writes what the encoder says, in the words of the frames that were passed on.
    pub(super) fn write(
        &mut self,
        out: &mut Vec<u8>,
        say: impl FnOnce(&mut dyn StreamEncoder, &mut Vec<u8>),
    ) {
        match &mut self.lane {
            None => say(&mut *self.encoder, out),
            Some(lane) => {
                self.scratch.clear();
                say(&mut *self.encoder, &mut self.scratch);
                lane.joint.go_on(&self.scratch, out);
            }
        }
    }

    /// Looks at a frame before it is read. Whether the answer goes on.
    pub(super) async fn begin(&mut self, head: &Head, frame: &Frame, out: &mut Vec<u8>) -> bool {
        let Some(lane) = self.lane.as_mut().filter(|lane| lane.open) else { return true };
        lane.watch.begins(head);
        let unread = lane.watch.unread(head, frame.data.as_deref().unwrap_or_default());
        self.introduce(head);
        let Some(unread) = unread else { return true };
        match self.gateway.look_through_json(&self.caller, &unread).await {
            ContentVerdict::Pass => {}
            // The encoder says what is read, and no more.
            ContentVerdict::Rewritten(_) => self.close_lane(),
            ContentVerdict::Withheld(reason) => {
                self.fail(withheld("answer", &reason), out);
                return false;
            }
        }
        true
    }

    /// The encoder is to say of the answer what the provider says of it.
    fn introduce(&mut self, head: &Head) {
        let Some(lane) = &mut self.lane else { return };
        if lane.begun || (head.model.is_none() && head.created.is_none()) {
            return;
        }
        lane.begun = true;
        if let Some(model) = &head.model {
            lane.reply.model.clone_from(model);
        }
        lane.reply.created = head.created.unwrap_or(lane.reply.created);
        if self.seen.model.is_none() {
            self.encoder = lane.front.stream_encoder(&lane.reply);
        }
    }
}
