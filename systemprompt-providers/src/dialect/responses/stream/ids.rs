use std::collections::HashSet;

use systemprompt_core::llm::{Dialect, OpaqueState};

use super::super::envelope::OWN_REASONING;

/// The ids of items, each the only one of its name: `msg_<response>_<number>`.
#[derive(Debug, Default)]
pub(super) struct Ids {
    response: String,
    number: u64,
    /// Those that items have, made here or given by a provider.
    taken: HashSet<String>,
}

impl Ids {
    /// The response has its id, of which those of its items are made.
    pub(super) fn begin(&mut self, response: &str) {
        response.strip_prefix("resp_").unwrap_or(response).clone_into(&mut self.response);
    }

    /// A new id.
    pub(super) fn next(&mut self, prefix: &str) -> String {
        loop {
            let id = format!("{prefix}{}_{}", self.response, self.number);
            self.number += 1;
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }

    /// Whether an item may have the id that its provider gave it.
    pub(super) fn take(&mut self, id: &str) -> bool {
        id_fits(id) && self.taken.insert(id.to_owned())
    }

    /// The id that its provider gave a reasoning item, unless another item has it.
    pub(super) fn native(&mut self, state: &OpaqueState) -> Option<String> {
        let id = state.id.as_deref().filter(|id| {
            state.origin.dialect == Dialect::Responses
                && id.starts_with("rs_")
                && !id.starts_with(OWN_REASONING)
        })?;
        self.take(id).then(|| id.to_owned())
    }
}

/// Whether an id of a provider can be one here.
fn id_fits(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !id.is_empty() && id.len() <= 128 && id.bytes().all(plain)
}

/// The id of the response: the upstream's where it gave one that can be, with the prefix that ids have here.
pub(super) fn response_id(upstream: &str, fallback: &str) -> String {
    let id = if id_fits(upstream) { upstream } else { fallback };
    if id.starts_with("resp_") { id.to_owned() } else { format!("resp_{id}") }
}
