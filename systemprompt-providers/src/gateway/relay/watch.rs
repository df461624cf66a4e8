use systemprompt_core::llm::Dialect;

use super::head::Head;
use super::piece::{Piece, Strangers};
use crate::gateway::judge::runs_at_the_caller;
use crate::gateway::rest;

/// Watches frames that are passed on as they came, for those that say more than the decoder tells.
///
/// A decoder tells one block after the other. What a wire interleaves it keeps back; were the frames of that
/// passed on, a caller would have words and calls that nobody looked at. So it is with blocks that are told when
/// they are whole, and with what a decoder does not read.
#[derive(Debug)]
pub(super) struct Watch {
    dialect: Dialect,
    /// The item or block that is open, by its place.
    open: Option<u64>,
    /// Of which kind the open block is (Anthropic).
    block: String,
    /// Whether there is something in it that is looked at when it is whole.
    holds: bool,
    /// What that is, where it is not read.
    strangers: Strangers,
}

impl Watch {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            open: None,
            block: String::new(),
            holds: false,
            strangers: Strangers::default(),
        }
    }

    /// Whether frames wait for the end of an item or block.
    pub(super) const fn holds(&self) -> bool {
        self.holds
    }

    /// Takes a frame whose events were looked at. Whether it says no more than they do.
    pub(super) fn is_plain(&mut self, head: &Head, call_is_open: bool) -> bool {
        match self.dialect {
            _ if head.unreadable => false,
            // The last piece of a call leaves it open.
            Dialect::Chat => !head.others && (!head.calls || call_is_open),
            Dialect::Responses => self.is_in_turn(head),
            Dialect::Anthropic => {
                if head.kind == "content_block_stop" && head.place == self.open {
                    self.holds = false;
                }
                true
            }
            Dialect::Gemini => true,
        }
    }

    /// Notes the item that begins, before its events are looked at.
    pub(super) fn begins(&mut self, head: &Head) {
        if self.dialect == Dialect::Responses && head.kind == "response.output_item.added" {
            let kind = head.item.as_ref().and_then(|item| item.get("type")?.as_str());
            self.holds = kind.is_some_and(|kind| runs_at_the_caller(kind).is_some());
        }
    }

    /// Takes a frame before it is read. What is to be looked through now: what no decoder reads of it, or of the
    /// block that ends with it.
    pub(super) fn unread(&mut self, head: &Head, data: &[u8]) -> Option<String> {
        let is_empty = data.is_empty() || data.trim_ascii() == b"[DONE]";
        match self.dialect {
            _ if head.unreadable || is_empty => None,
            Dialect::Anthropic => self.unread_of_block(head, data),
            Dialect::Responses => self.unread_of_item(head, data),
            Dialect::Chat => rest::chat::of_answer(data),
            Dialect::Gemini => None,
        }
    }

    fn unread_of_block(&mut self, head: &Head, data: &[u8]) -> Option<String> {
        match &*head.kind {
            "content_block_delta" => self.piece(head, data),
            kind @ ("content_block_stop" | "message_stop") => {
                both(self.strangers.take(), rest::anthropic::of_event(kind, data))
            }
            kind => {
                if let ("content_block_start", Some(block)) = (kind, &head.block) {
                    self.open = head.place;
                    self.block.clone_from(block);
                    self.holds = !rest::anthropic::is_read(block);
                }
                rest::anthropic::of_event(kind, data)
            }
        }
    }

    fn piece(&mut self, head: &Head, data: &[u8]) -> Option<String> {
        let is_told = !rest::anthropic::is_read(&self.block)
            || Piece::read(data).is_some_and(|piece| piece.is_of(&self.block));
        if is_told || head.place != self.open {
            return None;
        }
        if Piece::is_citation(data) {
            return rest::anthropic::of_event(&head.kind, data);
        }
        self.hold(data);
        None
    }

    fn unread_of_item(&mut self, head: &Head, data: &[u8]) -> Option<String> {
        match &*head.kind {
            kind if rest::responses::is_media(kind) => None,
            kind if rest::responses::is_read(kind) => match kind {
                "response.completed" | "response.incomplete" => self.strangers.take(),
                _ => None,
            },
            kind if kind.ends_with(".delta") => {
                self.hold(data);
                None
            }
            kind => {
                let unread = rest::responses::of_event(kind, data);
                if kind != "response.output_item.done" {
                    return unread;
                }
                both(self.strangers.take(), unread)
            }
        }
    }

    /// Frames wait until what is in them is whole.
    fn hold(&mut self, data: &[u8]) {
        self.holds = true;
        self.strangers.add(data);
    }

    /// Whether items come one after the other.
    fn is_in_turn(&mut self, head: &Head) -> bool {
        match (&*head.kind, head.place) {
            ("response.output_item.added", Some(_)) => {
                let free = self.open.is_none();
                self.open = head.place;
                free
            }
            ("response.output_item.done", Some(_)) => {
                self.holds = false;
                self.open.take() == head.place
            }
            ("response.output_item.added" | "response.output_item.done", None) => false,
            (_, Some(_)) => self.open == head.place,
            (kind, None) => {
                // What is about an item and does not say which.
                let about = [
                    "delta",
                    "output_text",
                    "refusal",
                    "reasoning",
                    "function_call",
                    "content_part",
                ];
                !kind.starts_with("response.") || !about.iter().any(|word| kind.contains(word))
            }
        }
    }
}

/// Two parts of JSON as one.
fn both(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("[{first},{second}]")),
        (first, second) => first.or(second),
    }
}
