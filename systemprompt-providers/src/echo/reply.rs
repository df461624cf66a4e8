use systemprompt_core::llm::{
    Block, BlockKind, MediaSource, ModelRequest, Role, Tool, ToolChoice, ToolInput, ToolKind,
};

/// What an answer says, before it is cut.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    Text(String),
    Call { name: String, input: ToolInput },
}

pub(super) fn reply(request: &ModelRequest) -> Reply {
    if let Some(text) = last_result(request) {
        return Reply::Text(text);
    }
    let text = last_text(request);
    let may_call = request.tool_choice != Some(ToolChoice::None);
    if may_call && let Some(reply) = told_call(request, text) {
        return reply;
    }
    match forced(request) {
        Some(tool) => Reply::Call { name: tool.name.clone(), input: plain_input(tool, text) },
        None => Reply::Text(text.to_owned()),
    }
}

/// The text of the result that the last message ends with.
fn last_result(request: &ModelRequest) -> Option<String> {
    match &request.messages.last()?.content.last()?.kind {
        BlockKind::ToolResult { content, .. } => {
            let texts: Vec<&str> = content.iter().filter_map(text_of).collect();
            Some(texts.join("\n"))
        }
        _ => None,
    }
}

fn text_of(block: &Block) -> Option<&str> {
    match &block.kind {
        BlockKind::Text { text } | BlockKind::Refusal { text } => Some(text),
        BlockKind::Document(media) => match &media.source {
            MediaSource::Text { text } => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// The last text of the user; nothing when there is none.
fn last_text(request: &ModelRequest) -> &str {
    let users = request.messages.iter().rev().filter(|message| message.role == Role::User);
    let mut texts = users.flat_map(|message| message.content.iter().rev()).filter_map(|block| {
        match &block.kind {
            BlockKind::Text { text } => Some(text.as_str()),
            _ => None,
        }
    });
    texts.next().unwrap_or_default()
}

/// The call that `text` tells of: `call <tool> <json object>`.
fn told_call(request: &ModelRequest, text: &str) -> Option<Reply> {
    let rest = text.trim().strip_prefix("call")?;
    let rest = rest.strip_prefix(char::is_whitespace)?.trim_start();
    let (name, input) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let tool = callable(request).find(|tool| tool.name == name)?;
    let input = match tool.kind {
        ToolKind::Text { .. } => ToolInput::Text(input.trim().to_owned()),
        _ => ToolInput::from_json_text(input.trim()),
    };
    let is_usable = !matches!(input, ToolInput::Broken(_));
    is_usable.then(|| Reply::Call { name: name.to_owned(), input })
}

/// The tools that may be called: those that the caller runs, as far as `tool_choice` allows.
fn callable(request: &ModelRequest) -> impl Iterator<Item = &Tool> {
    let allowed = |name: &String| match &request.tool_choice {
        Some(ToolChoice::Named(only)) => name == only,
        Some(ToolChoice::Among { names, .. }) => names.contains(name),
        _ => true,
    };
    let callable =
        move |tool: &&Tool| !matches!(tool.kind, ToolKind::Server { .. }) && allowed(&tool.name);
    request.tools.iter().filter(callable)
}

/// The tool that `tool_choice` forces.
fn forced(request: &ModelRequest) -> Option<&Tool> {
    let choice = request.tool_choice.as_ref()?;
    crate::dialect::forces_a_tool(choice).then(|| callable(request).next()).flatten()
}

fn plain_input(tool: &Tool, text: &str) -> ToolInput {
    match tool.kind {
        ToolKind::Text { .. } => ToolInput::Text(text.to_owned()),
        _ => ToolInput::Json("{}".to_owned()),
    }
}
