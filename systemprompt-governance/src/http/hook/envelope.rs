use std::borrow::Cow;

use crate::http::fields::{FieldFault, Fields, Unknown};

const NAMES: [&str; 11] = [
    "hook_event_name",
    "session_id",
    "tool_name",
    "tool_input",
    "tool_use_id",
    "prompt",
    "agent_id",
    "agent_type",
    "tool_response",
    "error",
    "duration_ms",
];

/// What a hook sends. Members are looked at when the event has a use for them, so a member that some
/// event uses in another way does no harm.
pub(super) struct Envelope<'b> {
    fields: Fields<'b, 11>,
    event_name: Cow<'b, str>,
}

/// The events that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventName {
    PreToolUse,
    UserPromptSubmit,
    PostToolUse,
    PostToolUseFailure,
    Other,
}

impl<'b> Envelope<'b> {
    pub(super) fn read(body: &'b [u8]) -> Result<Self, FieldFault> {
        let fields = Fields::read(body, &NAMES, Unknown::Ignore)?;
        let event_name = fields.required_text(0)?;
        Ok(Self { fields, event_name })
    }

    pub(super) fn event(&self) -> EventName {
        match &*self.event_name {
            "PreToolUse" => EventName::PreToolUse,
            "UserPromptSubmit" => EventName::UserPromptSubmit,
            "PostToolUse" => EventName::PostToolUse,
            "PostToolUseFailure" => EventName::PostToolUseFailure,
            _ => EventName::Other,
        }
    }

    /// The event's name as it was sent.
    pub(super) fn event_name(&self) -> &str {
        &self.event_name
    }

    pub(super) fn session_id(&self) -> Result<Option<Cow<'b, str>>, FieldFault> {
        self.fields.text(1)
    }

    pub(super) fn tool_name(&self) -> Result<Cow<'b, str>, FieldFault> {
        self.fields.required_text(2)
    }

    /// The JSON text of the tool's arguments.
    pub(super) fn tool_input(&self) -> Result<&'b str, FieldFault> {
        self.fields.required(3)
    }

    pub(super) fn tool_use_id(&self) -> Result<Option<Cow<'b, str>>, FieldFault> {
        self.fields.text(4)
    }

    /// The JSON text of the prompt, which is a string.
    pub(super) fn prompt(&self) -> Result<&'b str, FieldFault> {
        let raw = self.fields.raw(5).ok_or(FieldFault::Missing("prompt"))?;
        if raw.starts_with('"') { Ok(raw) } else { Err(self.fields.mistyped(5, "a string")) }
    }

    pub(super) fn agent_id(&self) -> Result<Option<Cow<'b, str>>, FieldFault> {
        self.fields.text(6)
    }

    pub(super) fn agent_type(&self) -> Result<Option<Cow<'b, str>>, FieldFault> {
        self.fields.text(7)
    }

    /// The JSON text of the tool's result.
    pub(super) fn tool_response(&self) -> Option<&'b str> {
        self.fields.any(8)
    }

    pub(super) fn error(&self) -> Option<Cow<'b, str>> {
        self.fields.text(9).ok().flatten()
    }

    /// The JSON text of the tool's run time in milliseconds.
    pub(super) fn duration_ms(&self) -> Option<&'b str> {
        self.fields.raw(10)
    }
}
