//! Cache marks: at most four, and how long they last only where the provider takes it.

use systemprompt_core::llm::{
    Block, BlockKind, CacheMark, CacheTtl, LossKind, LossReport, ModelRequest,
};

use crate::dialect::anthropic::json::ObjectOut;

/// The most marks a request may have.
const MOST: usize = 4;

/// The marks of one request, in the order of the prompt: tools, instructions, messages.
#[derive(Debug)]
pub(super) struct Marks {
    /// How many are left out at the beginning, for a later mark covers what they cover.
    skip: usize,
    ttl: bool,
}

impl Marks {
    /// Counts the marks of `request`. The mark on the request itself is one of them.
    pub(super) fn of(request: &ModelRequest, ttl: bool) -> Self {
        let tools = request.tools.iter().filter(|tool| tool.cache.is_some()).count();
        let system = count(&request.system);
        let messages: usize = request.messages.iter().map(|message| count(&message.content)).sum();
        let whole = usize::from(request.rest.contains_key("cache_control"));
        Self { skip: (tools + system + messages + whole).saturating_sub(MOST), ttl }
    }

    /// Puts a mark on `object`, if it has one. `extra` are members of the mark that only this wire has.
    pub(super) fn put(
        &mut self,
        object: &mut ObjectOut,
        mark: Option<CacheMark>,
        extra: &[(&str, &serde_json::Value)],
        path: impl FnOnce() -> String,
        losses: &mut LossReport,
    ) {
        let Some(mark) = mark else { return };
        if self.skip > 0 {
            self.skip -= 1;
            losses.note(format!("{}.cache_control", path()), LossKind::Hint);
            return;
        }
        let mut control = ObjectOut::of("ephemeral");
        match mark.ttl {
            None => {}
            Some(_) if !self.ttl => {
                losses.note(format!("{}.cache_control.ttl", path()), LossKind::Hint);
            }
            Some(CacheTtl::FiveMinutes) => control.put("ttl", "5m"),
            Some(CacheTtl::OneHour) => control.put("ttl", "1h"),
        }
        for (name, value) in extra {
            control.put_new(name, value);
        }
        object.put("cache_control", control);
    }
}

fn count(blocks: &[Block]) -> usize {
    let inside = |block: &Block| match &block.kind {
        BlockKind::ToolResult { content, .. } => count(content),
        _ => 0,
    };
    blocks.iter().map(|block| usize::from(block.cache.is_some()) + inside(block)).sum()
}
