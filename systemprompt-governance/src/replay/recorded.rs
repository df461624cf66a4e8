use std::sync::Arc;

use serde_json::Value;
use systemprompt_core::call::{Arguments, CallContext, Door, ToolCall, ToolRef};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::decision::CheckOutcome;
use systemprompt_core::event::{DecisionFeatures, Verdict};
use systemprompt_core::id::{Audience, EventId, PermitId, TokenId};
use systemprompt_core::principal::{Principal, PrincipalClaims};

use super::{Grounds, Unknown};

/// A decision as the log has kept it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedDecision {
    /// The log.
    pub origin: String,
    /// The event.
    pub id: EventId,
    /// When.
    pub occurred_at: Timestamp,
    /// The tenant.
    pub tenant: String,
    /// The user.
    pub user: String,
    /// The user's department.
    pub department: Option<String>,
    /// The session.
    pub session: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The server of the tool.
    pub server: Option<String>,
    /// The tool.
    pub tool: String,
    /// Whether a process decided it that was there for this call alone.
    pub one_off: bool,
    /// How it was decided.
    pub verdict: Verdict,
    /// The code of the reason of a denial.
    pub reason_code: Option<String>,
    /// The data of the reason.
    pub reason_data: Option<Value>,
    /// The permit that was granted; an earlier one when the call was a repeat.
    pub permit: Option<PermitId>,
    /// What the checks said.
    pub checks: Vec<RecordedCheck>,
    /// What the decision depended on; `None` when that was not kept.
    pub features: Option<DecisionFeatures>,
}

/// What a check said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCheck {
    /// The check.
    pub check: String,
    /// How it came out.
    pub outcome: CheckOutcome,
    /// Its words.
    pub detail: Option<String>,
}

impl RecordedDecision {
    /// What the denial rested on.
    #[must_use]
    pub fn grounds(&self) -> Grounds {
        let code = self.reason_code.as_deref().unwrap_or_default();
        Grounds::of_record(code, self.reason_data.as_ref(), &self.checks)
    }

    /// `mcp__<server>__<tool>`, or the bare name of a tool without a server.
    #[must_use]
    pub fn qualified_tool(&self) -> String {
        match &self.server {
            Some(server) => format!("mcp__{server}__{}", self.tool),
            None => self.tool.clone(),
        }
    }

    /// The user behind the tenant: `acme/ada`.
    #[must_use]
    pub fn qualified_user(&self) -> String {
        format!("{}/{}", self.tenant, self.user)
    }

    /// The call, as far as checks look at it; its arguments are none.
    pub(super) fn call(&self) -> Result<(ToolCall, &DecisionFeatures), Unknown> {
        if self.verdict == Verdict::Pending {
            return Err(Unknown::Pending);
        }
        if self.reason_code.as_deref() == Some("malformed_call") {
            return Err(Unknown::Malformed);
        }
        let features = self.features.as_ref().ok_or(Unknown::NoFeatures)?;
        if features.redacted {
            return Err(Unknown::Redacted);
        }
        let call = self.rebuild(features).ok_or(Unknown::Unreadable)?;
        Ok((call, features))
    }

    fn rebuild(&self, features: &DecisionFeatures) -> Option<ToolCall> {
        let principal = Principal::assert_authenticated(PrincipalClaims {
            tenant: self.tenant.parse().ok()?,
            user: self.user.parse().ok()?,
            roles: features.roles.clone(),
            scopes: features.scopes.clone(),
            department: parsed(self.department.as_deref())?,
            audience: Audience::api(),
            // Nothing is decided by these.
            credential: TokenId::parse("replay").ok()?,
            actors: Vec::new(),
        })
        .ok()?;
        let context = CallContext {
            session: parsed(self.session.as_deref())?,
            agent: parsed(self.agent.as_deref())?,
            agent_is_label: features.label,
            ..CallContext::default()
        };
        let arguments = Arguments::empty();
        if features.prompt {
            return Some(ToolCall::prompt(principal, Door::Embedded, arguments, context));
        }
        let tool = ToolRef::parse(self.server.as_deref(), &self.tool).ok()?;
        Some(ToolCall::new(principal, Door::Embedded, tool, arguments, context))
    }

    /// What the secret scanner found, if that can be relied on by the rules called `rules`.
    pub(super) fn secrets<'f>(
        features: &'f DecisionFeatures,
        rules: &str,
    ) -> Result<&'f [Arc<str>], Unknown> {
        match &features.scan {
            None => Err(Unknown::SecretNotScanned),
            Some(scan) if *scan.rules != *rules => Err(Unknown::SecretRulesChanged),
            Some(scan) => Ok(&scan.found),
        }
    }

    /// The host checks with their outcomes.
    pub(super) fn host(&self) -> impl Iterator<Item = (&str, CheckOutcome)> {
        let host = self.checks.iter().filter(|check| !crate::is_built_in(&check.check));
        host.map(|check| (check.check.as_str(), check.outcome))
    }

    /// The permit of the call that this one repeats.
    pub(super) fn repeats(&self) -> Option<PermitId> {
        self.permit.filter(|permit| permit.as_bytes() != self.id.as_bytes())
    }
}

/// `None` when there is a text that is no id.
#[expect(clippy::option_option, reason = "an absent id is as good as one that is there")]
fn parsed<T: std::str::FromStr>(text: Option<&str>) -> Option<Option<T>> {
    text.map(str::parse).transpose().ok()
}
