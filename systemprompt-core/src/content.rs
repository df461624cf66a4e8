//! What goes past the tool calls themselves: results, descriptions, answers, the turns of a conversation.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use crate::call::{CallContext, Door, ToolRef};
use crate::decision::{DenialReason, SecretLocation};
use crate::policy::{SecretAction, SecretConfidence, SecretDirection};
use crate::principal::Principal;

/// A text on its way, with its circumstances. Nothing here grants anything.
#[derive(Debug, Clone, Copy)]
pub struct Content<'c> {
    /// Where it comes from and where it goes.
    pub origin: ContentOrigin<'c>,
    /// The text.
    pub body: ContentBody<'c>,
}

/// Where a text comes from and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct ContentOrigin<'c> {
    /// Which way it goes.
    pub direction: SecretDirection,
    /// On whose behalf.
    pub principal: &'c Principal,
    /// The tool it comes from, if any.
    pub tool: Option<&'c ToolRef>,
    /// The door.
    pub door: Door,
    /// The call or conversation it belongs to.
    pub context: &'c CallContext,
}

/// The same for a text that comes in pieces, with parts of its own.
#[derive(Debug, Clone)]
pub struct StreamOrigin {
    /// Which way it goes.
    pub direction: SecretDirection,
    /// On whose behalf.
    pub principal: Principal,
    /// The tool it comes from, if any.
    pub tool: Option<ToolRef>,
    /// The door.
    pub door: Door,
    /// The call or conversation it belongs to.
    pub context: CallContext,
}

impl StreamOrigin {
    /// The origin of what comes.
    #[must_use]
    pub fn lent(&self) -> ContentOrigin<'_> {
        ContentOrigin {
            direction: self.direction,
            principal: &self.principal,
            tool: self.tool.as_ref(),
            door: self.door,
            context: &self.context,
        }
    }
}

/// A text as it came.
#[derive(Debug, Clone, Copy)]
pub enum ContentBody<'c> {
    /// Plain text.
    Text(&'c str),
    /// JSON, whose strings and keys are searched. What is no JSON, or larger or deeper than arguments may be,
    /// is searched as text.
    Json(&'c str),
}

/// What became of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Whether it goes on, and as what.
    pub verdict: ContentVerdict,
    /// What was found in it, in order.
    pub findings: Vec<ContentFinding>,
}

/// Whether a text goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContentVerdict {
    /// As it came.
    Pass,
    /// With something else in the place of its secrets.
    Rewritten(String),
    /// Not at all.
    Withheld(DenialReason),
}

/// A secret in a text, and what was done about it. Holds no character of the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContentFinding {
    /// The id of the rule that found it.
    pub rule: Arc<str>,
    /// Whose credential it is; `generic` where that cannot be told.
    pub vendor: Arc<str>,
    /// Where: a JSON path; a key that is itself the secret shows as `[key:<n>]`.
    pub location: SecretLocation,
    /// A keyed fingerprint, to recognise it again.
    pub fingerprint: String,
    /// How sure the rule is.
    pub confidence: SecretConfidence,
    /// The reading of the text in which it was seen: `plain`, or what had to be undone first.
    pub view: Cow<'static, str>,
    /// What was done; `None` when it does not count.
    pub action: Option<SecretAction>,
    /// The exemption because of which it does not count.
    pub exemption: Option<Arc<str>>,
}

impl Inspection {
    /// Nothing was found.
    #[must_use]
    pub fn pass() -> Self {
        Self { verdict: ContentVerdict::Pass, findings: Vec::new() }
    }

    /// It does not go on.
    #[must_use]
    pub fn withheld(reason: DenialReason) -> Self {
        Self { verdict: ContentVerdict::Withheld(reason), findings: Vec::new() }
    }
}
