use systemprompt_core::llm::Dialect;

use super::head::Head;
use crate::gateway::judge::runs_at_the_caller;

/// Watches frames that are passed on as they came, for those that say more than the decoder tells.
///
/// A decoder tells one block after the other. What a wire interleaves it keeps back; were the frames of that
/// passed on, a caller would have words and calls that nobody looked at.
#[derive(Debug)]
pub(super) struct Watch {
    dialect: Dialect,
    /// The item that is open, by its place (Responses).
    open: Option<u64>,
    /// Whether that is a call whose events come when it is whole.
    holds: bool,
}

impl Watch {
    pub(super) const fn new(dialect: Dialect) -> Self {
        Self { dialect, open: None, holds: false }
    }

    /// Whether frames wait for the end of an item that is a call.
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
            Dialect::Anthropic | Dialect::Gemini => true,
        }
    }

    /// Notes the item that begins, before its events are looked at.
    pub(super) fn begins(&mut self, head: &Head) {
        if self.dialect == Dialect::Responses && head.kind == "response.output_item.added" {
            let kind = head.item.as_ref().and_then(|item| item.get("type")?.as_str());
            self.holds = kind.is_some_and(|kind| runs_at_the_caller(kind).is_some());
        }
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
