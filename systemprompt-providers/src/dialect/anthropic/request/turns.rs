//! The conversation as this wire has it: turns that take each other's place, and the results of tools
//! in the turn right after their calls, first and in the order of the calls.

use std::collections::{HashMap, VecDeque};

use systemprompt_core::llm::{Block, BlockKind, Dialect, LossKind, LossReport, ModelRequest, Role};

use super::super::field::{self, Field};
use super::super::names::Ids;

/// What a conversation begins with that has no turn of the user there.
const BEGIN: &str = "(The conversation begins here.)";
/// What is said where the model would have to go on from its own words and cannot.
const GO_ON: &str = "Go on.";
/// What a call is answered that has no result.
pub(super) const NO_RESULT: &str =
    "The tool was not run: the conversation has no result of this call.";

/// One turn.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) role: Role,
    pub(super) parts: Vec<Part<'a>>,
    /// The messages it was made of.
    pub(super) messages: Vec<usize>,
}

/// A part of a turn.
#[derive(Debug)]
pub(super) enum Part<'a> {
    /// A block, and the id of its call as it is sent, if it is a call or a result.
    Block { path: String, block: &'a Block, id: Option<String> },
    /// Instructions that the model takes as a text of the user only.
    Instructions { path: String, block: &'a Block },
    /// The result of a call that has none.
    NoResult { id: String },
    /// A text that is put in.
    Said(String),
}

impl Part<'_> {
    const fn kind(&self) -> Option<&BlockKind> {
        match self {
            Part::Block { block, .. } => Some(&block.kind),
            _ => None,
        }
    }
}

/// What the model takes of a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Takes {
    /// Instructions after a turn of the user.
    pub(super) system: bool,
    /// The beginning of its own answer at the end.
    pub(super) prefill: bool,
}

/// The turns of `request`, of the blocks that `keep` keeps.
pub(super) fn turns<'a>(
    request: &'a ModelRequest,
    takes: Takes,
    losses: &mut LossReport,
    mut keep: impl FnMut(&str, Role, &Block, &mut LossReport) -> bool,
) -> Vec<Turn<'a>> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    for (at, message) in request.messages.iter().enumerate() {
        for (place, block) in message.content.iter().enumerate() {
            let path = field::block(request.dialect, at, place);
            let role = speaker(message.role, &block.kind);
            if keep(&path, role, block, losses) {
                let part = Part::Block { path, block, id: None };
                add(&mut runs, at, role, part);
            }
        }
    }
    pair(&mut runs, losses);
    let mut turns: Vec<Turn<'a>> = Vec::with_capacity(runs.len());
    for run in runs {
        run.into_turns(takes, losses, &mut turns);
    }
    begin_and_end(request, takes, losses, &mut turns);
    turns
}

/// Who says a block, which for calls and results does not hang on where they stand.
const fn speaker(role: Role, kind: &BlockKind) -> Role {
    match kind {
        BlockKind::ToolResult { .. } => Role::User,
        BlockKind::ToolUse { .. } | BlockKind::Thinking { .. } | BlockKind::RedactedThinking(_) => {
            Role::Assistant
        }
        _ => role,
    }
}

fn add<'a>(runs: &mut Vec<Run<'a>>, message: usize, role: Role, part: Part<'a>) {
    let assistant = role == Role::Assistant;
    match runs.last_mut() {
        Some(run) if run.assistant == assistant => {
            run.parts.push((role, part));
            if run.messages.last() != Some(&message) {
                run.messages.push(message);
            }
        }
        _ => runs.push(Run { assistant, parts: vec![(role, part)], messages: vec![message] }),
    }
}

/// Neighbouring messages of the model, or of anyone else.
struct Run<'a> {
    assistant: bool,
    parts: Vec<(Role, Part<'a>)>,
    messages: Vec<usize>,
}

/// Gives every call its id and its result.
fn pair<'a>(runs: &mut Vec<Run<'a>>, losses: &mut LossReport) {
    let mut ids = Ids::default();
    let mut calls: Vec<Call<'a>> = Vec::new();
    for run in runs.iter_mut() {
        if run.assistant {
            calls = calls_of(run, &mut ids);
        } else {
            answer(run, std::mem::take(&mut calls), losses);
        }
    }
    if !calls.is_empty() {
        let mut run = Run { assistant: false, parts: Vec::new(), messages: Vec::new() };
        answer(&mut run, calls, losses);
        runs.push(run);
    }
}

struct Call<'a> {
    id: &'a str,
    sent: String,
    path: String,
}

fn calls_of<'a>(run: &mut Run<'a>, ids: &mut Ids) -> Vec<Call<'a>> {
    let mut calls = Vec::new();
    for (_, part) in &mut run.parts {
        if let Part::Block { path, block, id } = part
            && let BlockKind::ToolUse { id: own, .. } = &block.kind
        {
            let sent = ids.sent(own);
            *id = Some(sent.clone());
            calls.push(Call { id: own, sent, path: path.clone() });
        }
    }
    calls
}

/// Puts the results of `calls` first. A result of no call becomes a text, a call without result gets one.
fn answer<'a>(run: &mut Run<'a>, calls: Vec<Call<'a>>, losses: &mut LossReport) {
    let mut places: HashMap<&str, VecDeque<usize>> = HashMap::new();
    for (at, (_, part)) in run.parts.iter().enumerate() {
        if let Part::Block { block, .. } = part
            && let BlockKind::ToolResult { tool_use_id, .. } = &block.kind
        {
            places.entry(tool_use_id).or_default().push_back(at);
        }
    }
    if calls.is_empty() && places.is_empty() {
        return;
    }
    let found: Vec<Option<usize>> =
        calls.iter().map(|call| places.get_mut(call.id).and_then(VecDeque::pop_front)).collect();
    let mut parts: Vec<Option<(Role, Part<'a>)>> =
        std::mem::take(&mut run.parts).into_iter().map(Some).collect();
    for (call, place) in calls.into_iter().zip(found) {
        let result = place.and_then(|at| parts.get_mut(at)).and_then(Option::take);
        let part = match result {
            Some((_, Part::Block { path, block, .. })) => {
                Part::Block { path, block, id: Some(call.sent) }
            }
            _ => {
                losses.note(call.path, LossKind::Degraded);
                Part::NoResult { id: call.sent }
            }
        };
        run.parts.push((Role::User, part));
    }
    for (role, part) in parts.into_iter().flatten() {
        match part {
            Part::Block { path, block, .. }
                if matches!(block.kind, BlockKind::ToolResult { .. }) =>
            {
                losses.note(path.as_str(), LossKind::Degraded);
                orphan(&path, block, &mut run.parts);
            }
            part => run.parts.push((role, part)),
        }
    }
}

/// The result of a call that does not stand before it.
fn orphan<'a>(path: &str, block: &'a Block, parts: &mut Vec<(Role, Part<'a>)>) {
    let BlockKind::ToolResult { tool_use_id, content, is_error } = &block.kind else { return };
    let failed = if *is_error { ", which failed" } else { "" };
    let said =
        format!("(Result of the call `{tool_use_id}`{failed}, which is not right before it:)");
    parts.push((Role::User, Part::Said(said)));
    for (at, block) in content.iter().enumerate() {
        let path = format!("{path}.content.{at}");
        parts.push((Role::User, Part::Block { path, block, id: None }));
    }
}

impl<'a> Run<'a> {
    fn into_turns(self, takes: Takes, losses: &mut LossReport, turns: &mut Vec<Turn<'a>>) {
        if self.assistant {
            let parts = self.parts.into_iter().map(|(_, part)| part).collect();
            turns.push(Turn { role: Role::Assistant, parts, messages: self.messages });
            return;
        }
        let apart = takes.system && self.parts.iter().any(|(role, _)| *role == Role::User);
        let mut user = Vec::with_capacity(self.parts.len());
        let mut system = Vec::new();
        for (role, part) in self.parts {
            match (role, part) {
                (Role::System, part) if apart => system.push(part),
                (Role::System, Part::Block { path, block, .. }) => {
                    losses.note(path.as_str(), LossKind::Degraded);
                    user.push(Part::Instructions { path, block });
                }
                (_, part) => user.push(part),
            }
        }
        turns.push(Turn { role: Role::User, parts: user, messages: self.messages });
        if !system.is_empty() {
            turns.push(Turn { role: Role::System, parts: system, messages: Vec::new() });
        }
    }
}

fn begin_and_end(
    request: &ModelRequest,
    takes: Takes,
    losses: &mut LossReport,
    turns: &mut Vec<Turn<'_>>,
) {
    let said = |text: &str| Turn {
        role: Role::User,
        parts: vec![Part::Said(text.to_owned())],
        messages: Vec::new(),
    };
    let begun = turns.first().is_some_and(|turn| turn.role == Role::User);
    if !begun && request.dialect != Dialect::Anthropic {
        losses.note(Field::Messages.of(request.dialect), LossKind::Degraded);
        turns.insert(0, said(BEGIN));
    }
    let Some(last) = turns.last().filter(|turn| turn.role == Role::Assistant) else { return };
    // What ends with a tool of the provider was paused, and goes on as it is.
    let paused = matches!(last.parts.last().and_then(Part::kind), Some(BlockKind::Unknown { .. }));
    if takes.prefill || paused {
        return;
    }
    let at = last.messages.last().copied().unwrap_or_default();
    losses.note(format!("{}.{at}", Field::Messages.of(request.dialect)), LossKind::Degraded);
    turns.push(said(GO_ON));
}

/// Whether the last turn of the model calls tools and was not thought about first, which a model that is
/// told to think by a budget takes for a mistake.
pub(super) fn calls_without_thinking(turns: &[Turn<'_>]) -> bool {
    let Some(turn) = turns.iter().rev().find(|turn| turn.role == Role::Assistant) else {
        return false;
    };
    let calls =
        turn.parts.iter().any(|part| matches!(part.kind(), Some(BlockKind::ToolUse { .. })));
    let first = turn.parts.first().and_then(Part::kind);
    calls && !matches!(first, Some(BlockKind::Thinking { .. } | BlockKind::RedactedThinking(_)))
}
