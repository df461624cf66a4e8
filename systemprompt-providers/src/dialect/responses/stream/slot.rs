use serde_json::Value;
use systemprompt_core::llm::{BlockStart, Delta, OpaqueState, StreamEvent};

use super::super::answer::text;
use crate::dialect::Source;

/// A block of the answer, which may have to wait until those before it are whole.
#[derive(Debug)]
pub(super) struct Slot {
    kind: Kind,
    opened: bool,
    closed: bool,
    /// What came while another block was open.
    pending: Vec<Delta>,
    sent: Sent,
    /// The part of a thought that is being written.
    part: usize,
    /// Arguments that stood in the first event already.
    early: String,
}

#[derive(Debug)]
pub(super) enum Kind {
    Text,
    Refusal,
    /// Reasoning; whether its words are the raw ones, once that is known.
    Thinking {
        raw: Option<bool>,
    },
    Call {
        id: String,
        name: String,
        text: bool,
    },
    /// An item of another kind, which is passed on when it is whole.
    Unknown(Option<Value>),
}

/// How much of a part was said so far, to tell what is new in a repetition of the whole.
#[derive(Debug, Clone, Copy)]
struct Sent {
    length: usize,
    hash: u64,
}

impl Sent {
    const NONE: Self = Self { length: 0, hash: 0xcbf2_9ce4_8422_2325 };

    fn add(&mut self, text: &str) {
        self.length = self.length.saturating_add(text.len());
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// What of `whole` was not said yet; nothing when it does not begin with what was.
    fn rest(self, whole: &str) -> &str {
        let Some((begin, rest)) = whole.split_at_checked(self.length) else { return "" };
        let mut again = Self::NONE;
        again.add(begin);
        if again.hash == self.hash { rest } else { "" }
    }
}

impl Slot {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            kind,
            opened: false,
            closed: false,
            pending: Vec::new(),
            sent: Sent::NONE,
            part: 0,
            early: String::new(),
        }
    }

    pub(super) fn kind_mut(&mut self) -> &mut Kind {
        &mut self.kind
    }

    pub(super) const fn is_call(&self) -> bool {
        matches!(self.kind, Kind::Call { .. })
    }

    /// Whether it is a call that says which tool is meant.
    pub(super) fn is_named(&self) -> bool {
        matches!(&self.kind, Kind::Call { id, name, .. } if !name.is_empty() && !id.is_empty())
    }

    /// Arguments in an event that says a call begins. They count only if nothing else gives any: some
    /// servers repeat them in pieces, others do not.
    pub(super) fn keep_early(&mut self, arguments: &str) {
        arguments.clone_into(&mut self.early);
    }

    /// Adds a piece. Gives back how many bytes it is.
    pub(super) fn add(&mut self, piece: &str) -> usize {
        if self.closed || piece.is_empty() {
            return 0;
        }
        self.sent.add(piece);
        let delta = match self.kind {
            Kind::Call { .. } => Delta::Input(piece.to_owned()),
            _ => Delta::Text(piece.to_owned()),
        };
        // What waits is one piece, however small those were that it came in.
        match (self.pending.last_mut(), delta) {
            (Some(Delta::Text(last)), Delta::Text(more))
            | (Some(Delta::Input(last)), Delta::Input(more)) => last.push_str(&more),
            (_, delta) => self.pending.push(delta),
        }
        piece.len()
    }

    /// Adds what of a repetition of the whole is new.
    pub(super) fn complete(&mut self, whole: &str) -> usize {
        let rest = self.sent.rest(whole).to_owned();
        self.add(&rest)
    }

    /// Goes to a part of a thought; an empty line stands between parts. Whether words of this kind are
    /// taken: a thought is its raw words or a summary of them, not both.
    pub(super) fn turn_to(&mut self, part: usize, is_raw: bool) -> bool {
        let Kind::Thinking { raw } = &mut self.kind else { return false };
        if *raw.get_or_insert(is_raw) != is_raw || part < self.part {
            return false;
        }
        if part > self.part {
            self.part = part;
            if self.sent.length > 0 || self.opened || !self.pending.is_empty() {
                self.add("\n\n");
            }
            self.sent = Sent::NONE;
        }
        true
    }

    /// Adds the state of a thought.
    pub(super) fn prove(&mut self, state: Option<OpaqueState>) {
        if !self.closed {
            self.pending.extend(state.map(Delta::State));
        }
    }

    pub(super) fn close(&mut self) {
        if self.closed {
            return;
        }
        if let Kind::Call { text, .. } = self.kind
            && self.sent.length == 0
        {
            let early = std::mem::take(&mut self.early);
            if !early.is_empty() {
                self.add(&early);
            } else if !text {
                self.add("{}");
            }
        }
        self.closed = true;
    }

    /// Writes what can be written while this block is the first that is not whole. Whether it is whole.
    pub(super) fn write(
        &mut self,
        index: &mut usize,
        from: &Source,
        out: &mut Vec<StreamEvent>,
    ) -> bool {
        if !self.opened {
            let Some(block) = self.begin(from) else { return self.closed };
            self.opened = true;
            out.push(StreamEvent::BlockStart { index: *index, block });
        }
        let at = *index;
        out.extend(self.pending.drain(..).map(|delta| StreamEvent::Delta { index: at, delta }));
        if self.closed {
            out.push(StreamEvent::BlockStop { index: at });
            *index += 1;
        }
        self.closed
    }

    /// How the block begins, or `None` while there is nothing to say.
    fn begin(&mut self, from: &Source) -> Option<BlockStart> {
        let said = !self.pending.is_empty();
        match &mut self.kind {
            Kind::Text if said => Some(BlockStart::Text),
            Kind::Refusal if said => Some(BlockStart::Refusal),
            Kind::Thinking { .. } if said => Some(BlockStart::Thinking),
            // Its name may come later than its arguments.
            Kind::Call { id, name, text } if !name.is_empty() && !id.is_empty() => {
                Some(BlockStart::ToolUse {
                    id: id.clone(),
                    name: from.tool_name(name),
                    text: *text,
                    state: None,
                })
            }
            Kind::Unknown(value) => value.take().map(BlockStart::Unknown),
            _ => None,
        }
    }
}

/// The kind of the block of an item, or `None` for a message, whose parts are blocks.
pub(super) fn kind_of(item: &Value) -> Option<Kind> {
    let call = |takes_text| {
        let id = match text(item, "call_id") {
            "" => text(item, "id"),
            id => id,
        };
        Kind::Call { id: id.to_owned(), name: text(item, "name").to_owned(), text: takes_text }
    };
    match text(item, "type") {
        "message" => None,
        "reasoning" => Some(Kind::Thinking { raw: None }),
        "function_call" => Some(call(false)),
        "custom_tool_call" => Some(call(true)),
        _ => Some(Kind::Unknown(None)),
    }
}
