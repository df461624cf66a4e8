//! Blocks in the order they began, one open at a time.
//!
//! The wire tells its calls apart by numbers and may mix their pieces; it may even say a text between them.
//! The first block that is not whole is passed on as it comes; what belongs to others is held until it is.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use systemprompt_core::llm::{
    BlockStart, Delta, Dialect, ErrorKind, ModelError, OpaqueState, Origin, StreamEvent,
};

use super::super::names::hash;
use super::input::Input;
use super::thought::{Details, Way};
use crate::dialect::Source;

/// The most bytes of one answer that are kept: those of calls and of the state of thoughts.
const KEPT: usize = 32 << 20;
/// What a call costs beside its bytes.
const CALL: usize = 256;

/// The blocks of an answer.
pub(super) struct Blocks {
    source: Source,
    /// The id of the answer: what ids that the upstream leaves out are made of.
    pub(super) answer: String,
    /// The place of the next block.
    next: usize,
    /// The blocks that are not closed. Only the first can be open.
    queue: VecDeque<Entry>,
    open: bool,
    calls: Vec<Call>,
    /// The calls by the numbers that the upstream gives them.
    numbers: HashMap<u64, usize>,
    /// The calls by their ids.
    ids: HashMap<String, usize>,
    kept: usize,
    /// Whether there was a refusal.
    pub(super) refused: bool,
}

enum Entry {
    Text(String),
    Refusal(String),
    Thought {
        text: String,
        way: Way,
        details: Details,
    },
    /// A call, by its place in `calls`.
    Call(usize),
}

#[derive(Default)]
struct Call {
    id: String,
    name: String,
    is_text: bool,
    state: Option<OpaqueState>,
    input: Input,
    closed: bool,
}

/// A piece of a call.
#[derive(Debug, Default)]
pub(super) struct Piece<'a> {
    pub(super) number: Option<u64>,
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) input: &'a str,
    pub(super) is_text: bool,
    /// State that goes back with the call (`extra_content` of Gemini).
    pub(super) extra: Option<&'a Value>,
}

type Out<'a> = &'a mut Vec<StreamEvent>;

impl Blocks {
    pub(super) fn new(source: Source) -> Self {
        Self {
            source,
            answer: String::new(),
            next: 0,
            queue: VecDeque::new(),
            open: false,
            calls: Vec::new(),
            numbers: HashMap::new(),
            ids: HashMap::new(),
            kept: 0,
            refused: false,
        }
    }

    pub(super) fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    pub(super) fn text(&mut self, piece: &str, out: Out<'_>) -> Result<(), ModelError> {
        if !matches!(self.queue.back(), Some(Entry::Text(_))) {
            self.queue.push_back(Entry::Text(String::new()));
        }
        if let Some(Entry::Text(text)) = self.queue.back_mut() {
            text.push_str(piece);
        }
        self.held(piece.len(), out)
    }

    pub(super) fn refusal(&mut self, piece: &str, out: Out<'_>) -> Result<(), ModelError> {
        self.refused = true;
        if !matches!(self.queue.back(), Some(Entry::Refusal(_))) {
            self.queue.push_back(Entry::Refusal(String::new()));
        }
        if let Some(Entry::Refusal(text)) = self.queue.back_mut() {
            text.push_str(piece);
        }
        self.held(piece.len(), out)
    }

    /// A piece of a thought, with pieces of its state.
    pub(super) fn thought(
        &mut self,
        piece: &str,
        way: Way,
        details: &[Value],
        out: Out<'_>,
    ) -> Result<(), ModelError> {
        if !matches!(self.queue.back(), Some(Entry::Thought { .. })) {
            let details = Details::default();
            self.queue.push_back(Entry::Thought { text: String::new(), way, details });
        }
        if let Some(Entry::Thought { text, details: all, .. }) = self.queue.back_mut() {
            text.push_str(piece);
            details.iter().for_each(|detail| all.push(detail));
        }
        let state: usize = details.iter().map(|detail| detail.to_string().len()).sum();
        self.keep(state)?;
        self.held(piece.len(), out)
    }

    pub(super) fn call(&mut self, piece: Piece<'_>, out: Out<'_>) -> Result<(), ModelError> {
        self.keep(piece.input.len())?;
        let at = self.find(&piece)?;
        let provider = &self.source.provider;
        let Some(call) = self.calls.get_mut(at) else { return Ok(()) };
        if call.closed {
            let repeats = piece.input == "{}" || call.input.repeats(piece.input);
            return if repeats { Ok(()) } else { Err(mixed()) };
        }
        if call.name.is_empty() {
            piece.name.clone_into(&mut call.name);
        }
        if call.id.is_empty() {
            piece.id.clone_into(&mut call.id);
        }
        if piece.is_text {
            call.is_text = true;
            call.input.set_plain();
        }
        if let Some(extra) = piece.extra
            && call.state.is_none()
        {
            call.state = Some(state(provider, extra.to_string()));
        }
        call.input.push(piece.input);
        self.settle(out);
        Ok(())
    }

    /// No more comes: everything is closed.
    pub(super) fn finish(&mut self, out: Out<'_>) -> Result<(), ModelError> {
        while let Some(entry) = self.queue.front() {
            if let Entry::Call(at) = *entry
                && let Some(call) = self.calls.get(at)
                && call.name.is_empty()
            {
                return Err(bad("the upstream asked for a tool without saying which"));
            }
            self.begin(true, out);
            self.close(out);
        }
        Ok(())
    }

    /// A whole block that no other wire knows.
    pub(super) fn unknown(&mut self, value: Value, out: Out<'_>) {
        let index = self.next;
        self.next += 1;
        out.push(StreamEvent::BlockStart { index, block: BlockStart::Unknown(value) });
        out.push(StreamEvent::BlockStop { index });
    }

    /// Counts bytes that are kept until the answer ends.
    pub(super) fn keep(&mut self, bytes: usize) -> Result<(), ModelError> {
        self.kept = self.kept.saturating_add(bytes);
        if self.kept > KEPT {
            return Err(bad("the answer of the upstream is larger than the gateway keeps")
                .with_code("upstream_too_large"));
        }
        Ok(())
    }

    /// Counts bytes that are kept only while they are behind another block.
    fn held(&mut self, bytes: usize, out: Out<'_>) -> Result<(), ModelError> {
        self.settle(out);
        if self.queue.len() > 1 { self.keep(bytes.saturating_add(1)) } else { Ok(()) }
    }

    /// The call that a piece belongs to. Some servers give every call the number 0 and a new id; some give no
    /// numbers.
    fn find(&mut self, piece: &Piece<'_>) -> Result<usize, ModelError> {
        let by_id = self.ids.get(piece.id).copied().filter(|_| !piece.id.is_empty());
        let by_number = piece.number.and_then(|number| self.numbers.get(&number).copied());
        let other = |at: usize| {
            self.calls.get(at).is_some_and(|call| {
                let new = !piece.id.is_empty() && !piece.name.is_empty();
                new && !call.id.is_empty() && call.id != piece.id
            })
        };
        let found = match (by_number, piece.number) {
            (Some(at), _) if !other(at) => Some(at),
            (_, Some(_)) => None,
            (_, None) if by_id.is_some() => by_id,
            (_, None) if piece.id.is_empty() && piece.name.is_empty() => {
                self.calls.len().checked_sub(1)
            }
            (_, None) => None,
        };
        if let Some(at) = found {
            return Ok(at);
        }
        self.keep(CALL)?;
        let at = self.calls.len();
        self.calls.push(Call::default());
        self.queue.push_back(Entry::Call(at));
        if let Some(number) = piece.number {
            self.numbers.insert(number, at);
        }
        if !piece.id.is_empty() {
            self.ids.insert(piece.id.to_owned(), at);
        }
        Ok(at)
    }

    /// Passes on what can be passed on.
    fn settle(&mut self, out: Out<'_>) {
        loop {
            self.begin(false, out);
            let whole = match self.queue.front() {
                Some(Entry::Call(at)) => {
                    self.open && self.calls.get(*at).is_some_and(|call| call.input.is_whole())
                }
                Some(_) => true,
                None => false,
            };
            if !whole || self.queue.len() < 2 {
                return;
            }
            self.close(out);
        }
    }

    /// Opens the first block, if it can be, and passes on what it has.
    fn begin(&mut self, last: bool, out: Out<'_>) {
        let index = self.next;
        let Some(entry) = self.queue.front_mut() else { return };
        let (block, delta) = match entry {
            Entry::Text(text) => (BlockStart::Text, said(text)),
            Entry::Refusal(text) => (BlockStart::Refusal, said(text)),
            Entry::Thought { text, .. } => (BlockStart::Thinking, said(text)),
            Entry::Call(at) => {
                let Some(call) = self.calls.get_mut(*at) else { return };
                let known = !call.id.is_empty() || !call.input.is_blank();
                if !self.open && !last && (call.name.is_empty() || !known) {
                    return;
                }
                if call.id.is_empty() {
                    let seed = format!("{}/{}", self.answer, call.name);
                    call.id = format!("call_{:016x}", hash(&seed, 1 + *at as u64) as u64);
                }
                let block = BlockStart::ToolUse {
                    id: call.id.clone(),
                    name: self.source.tool_name(&call.name),
                    text: call.is_text,
                    state: call.state.clone(),
                };
                let piece = if call.is_text { call.input.rest() } else { call.input.next() };
                (block, piece.map(Delta::Input))
            }
        };
        if !self.open {
            self.open = true;
            out.push(StreamEvent::BlockStart { index, block });
        }
        out.extend(delta.map(|delta| StreamEvent::Delta { index, delta }));
    }

    /// Closes the first block, which is open.
    fn close(&mut self, out: Out<'_>) {
        let index = self.next;
        let delta = match self.queue.pop_front() {
            Some(Entry::Call(at)) => self.calls.get_mut(at).and_then(|call| {
                call.closed = true;
                let blank = !call.is_text && call.input.is_blank();
                let rest = if blank { Some("{}".to_owned()) } else { call.input.rest() };
                rest.map(Delta::Input)
            }),
            Some(Entry::Thought { way, details, .. }) => {
                Some(Delta::State(state(&self.source.provider, details.state(way))))
            }
            _ => None,
        };
        out.extend(delta.map(|delta| StreamEvent::Delta { index, delta }));
        out.push(StreamEvent::BlockStop { index });
        self.open = false;
        self.next += 1;
    }
}

fn said(text: &mut String) -> Option<Delta> {
    (!text.is_empty()).then(|| Delta::Text(std::mem::take(text)))
}

fn state(provider: &Arc<str>, data: String) -> OpaqueState {
    let origin = Origin { dialect: Dialect::Chat, provider: Some(Arc::clone(provider)) };
    OpaqueState { origin, id: None, data }
}

pub(super) fn bad(message: &str) -> ModelError {
    ModelError::new(ErrorKind::BadGateway, message).with_code("upstream_malformed")
}

fn mixed() -> ModelError {
    bad("the upstream went on with the arguments of a tool call that were whole")
}
