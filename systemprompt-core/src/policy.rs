//! The policy as it is written down: the `governance` section of a profile.
//!
//! These are plain values; the governance crate compiles them into an immutable snapshot. A fault it
//! finds is named by its path in the document (`rules[3].agents[0]`), which the configuration loader
//! turns into file, line and column.

mod secrets;

pub use self::secrets::{
    Canary, SecretAction, SecretActionRule, SecretConfidence, SecretDirection, SecretExemption,
    SecretPolicy, SecretRule,
};

use serde::{Deserialize, Serialize};

/// The `governance` section of a profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PolicyDocument {
    /// `false` turns every check off: all authenticated calls are allowed, and each start and reload
    /// writes a `governance_disabled` event. Decisions are still recorded.
    pub enabled: bool,
    /// What an allowed hook answers.
    pub on_allow: OnAllow,
    /// How long a permit accepts an outcome, in seconds (1 to 86,400).
    pub permit_lifetime_s: u64,
    /// Scopes beyond the built-in `admin`, `tools:use` and `audit:read` that rules may name.
    pub scopes: Vec<String>,
    /// Roles beyond the built-in `admin` and `user` that rules may name.
    pub roles: Vec<String>,
    /// The agents that may be named in a call.
    pub agents: Vec<AgentPolicy>,
    /// Who may use which tools. Deny overrides; what no rule allows is denied.
    pub rules: Vec<ScopeRule>,
    /// Words and patterns that no tool name may match.
    pub blocklists: Vec<Blocklist>,
    /// Rate limits. Every limit applies to every call.
    pub limits: Vec<LimitPolicy>,
    /// The secret check, and what is done about what it finds.
    pub secrets: SecretPolicy,
    /// Host checks.
    pub checks: CheckPolicy,
}

impl Default for PolicyDocument {
    /// Everything on, nothing allowed.
    fn default() -> Self {
        Self {
            enabled: true,
            on_allow: OnAllow::Allow,
            permit_lifetime_s: 900,
            scopes: Vec::new(),
            roles: Vec::new(),
            agents: Vec::new(),
            rules: Vec::new(),
            blocklists: Vec::new(),
            limits: Vec::new(),
            secrets: SecretPolicy::default(),
            checks: CheckPolicy::default(),
        }
    }
}

/// What a `PreToolUse` hook answers when the call is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnAllow {
    /// `permissionDecision: "allow"`: the client runs the tool without asking.
    Allow,
    /// `{}`: the client's own permission prompt stays in place.
    Defer,
}

/// An agent and who may act as it. A principal is granted the agent by any one of the lists, or by
/// `everyone`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AgentPolicy {
    /// The agent's id.
    pub id: String,
    /// Every principal may act as it.
    #[serde(default)]
    pub everyone: bool,
    /// Principals with any of these scopes.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Principals with any of these roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// These users.
    #[serde(default)]
    pub users: Vec<String>,
    /// Users of these departments.
    #[serde(default)]
    pub departments: Vec<String>,
}

/// What a rule does to the calls it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Allows them to principals that hold every one of `scopes` and any one of `roles`.
    #[default]
    Allow,
    /// Denies them; with `scopes` or `roles`, only to principals that hold them.
    Deny,
}

/// One scope rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ScopeRule {
    /// The rule's id, unique among rules.
    pub id: String,
    /// Allow or deny.
    #[serde(default)]
    pub effect: Effect,
    /// Tool patterns (`*` any run of characters, `?` any one). Without `servers` they match the
    /// qualified name (`mcp__<server>__<tool>`, or the bare name of a tool without a server).
    pub tools: Vec<String>,
    /// Tool patterns that are left out again.
    #[serde(default)]
    pub except: Vec<String>,
    /// Server patterns; empty = any, or none.
    #[serde(default)]
    pub servers: Vec<String>,
    /// Agents; empty = any, or none.
    #[serde(default)]
    pub agents: Vec<String>,
    /// Scopes the principal must hold, all of them.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Roles of which the principal must hold one.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// A list of patterns for tool names. A pattern of letters and digits matches whole words of the name
/// (split at `_ - . / :` and camelCase); one with `*` or `?` matches the name as a glob.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Blocklist {
    /// The list's id, unique among lists.
    pub id: String,
    /// The patterns.
    pub patterns: Vec<String>,
    /// Principals with any of these scopes are exempt. Empty: it applies to everyone, admins too.
    #[serde(default)]
    pub exempt_scopes: Vec<String>,
    /// Principals with any of these roles are exempt.
    #[serde(default)]
    pub exempt_roles: Vec<String>,
}

/// One rate limit: `limit` calls per `window_s`, of which `burst` may come at once (GCRA).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LimitPolicy {
    /// The limit's id, unique among limits.
    pub id: String,
    /// What a bucket is made of; a part that a call lacks is a value of its own.
    pub key: Vec<LimitKey>,
    /// Calls per window (1 to 1,000,000,000).
    pub limit: u64,
    /// The window in seconds (1 to 31,622,400).
    pub window_s: u64,
    /// Calls at once; `limit` when absent.
    #[serde(default)]
    pub burst: Option<u64>,
}

/// A part of a bucket's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LimitKey {
    /// The tenant.
    Tenant,
    /// The user.
    User,
    /// The session.
    Session,
    /// The agent.
    Agent,
    /// The tool's qualified name.
    Tool,
    /// The server.
    Server,
    /// The department.
    Department,
}

/// How host checks run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct CheckPolicy {
    /// The deadline of one check, in milliseconds (1 to 60,000).
    pub timeout_ms: u64,
    /// Ids of host checks that are turned off; evaluations then show them as `disabled`.
    pub disabled: Vec<String>,
}

impl Default for CheckPolicy {
    fn default() -> Self {
        Self { timeout_ms: 1000, disabled: Vec::new() }
    }
}

/// Something wrong in a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {problem}")]
pub struct PolicyFault {
    /// Where, as a path in the document, such as `rules[3].agents[0]`.
    pub path: String,
    /// What is wrong, with the nearest valid spelling where there is one.
    pub problem: String,
}
