use serde::{Deserialize, Serialize};

/// The secret check, and what is done about what it finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SecretPolicy {
    /// `false` turns the check off; evaluations then show it as `disabled`.
    pub enabled: bool,
    /// Ids of detection rules that are not used.
    pub disabled_rules: Vec<String>,
    /// What is done about a finding; the first that matches counts. Where none does, a call and a prompt
    /// are denied, and everything else is redacted.
    pub actions: Vec<SecretActionRule>,
    /// Findings that do not count. Each use is recorded with the decision.
    pub exemptions: Vec<SecretExemption>,
    /// Formats of the organisation's own credentials.
    pub rules: Vec<SecretRule>,
    /// Fake credentials that nothing legitimate contains. Wherever one shows up, data has been taken: it
    /// is always denied.
    pub canaries: Vec<Canary>,
}

impl Default for SecretPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            disabled_rules: Vec::new(),
            actions: Vec::new(),
            exemptions: Vec::new(),
            rules: Vec::new(),
            canaries: Vec::new(),
        }
    }
}

/// What is done about a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SecretAction {
    /// It is recorded and goes on as it is.
    Flag,
    /// `secret://h/..` stands in its place. A tool that the rule binds gets the value back when it is run;
    /// nobody else does.
    Tokenise,
    /// `[redacted:<rule>]` stands in its place.
    Redact,
    /// What holds it goes no further.
    Deny,
}

impl SecretAction {
    /// The action's stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Tokenise => "tokenise",
            Self::Redact => "redact",
            Self::Deny => "deny",
        }
    }
}

/// Which way a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SecretDirection {
    /// The arguments of a tool call.
    Call,
    /// What a person hands to a model.
    Prompt,
    /// What a tool returned, on its way to the model.
    Result,
    /// What a server says about its tools and resources, on its way to the model.
    Description,
    /// What a model answered.
    Answer,
    /// The earlier turns of a conversation, which clients send again with each request.
    History,
}

impl SecretDirection {
    /// Every direction.
    pub const ALL: [Self; 6] =
        [Self::Call, Self::Prompt, Self::Result, Self::Description, Self::Answer, Self::History];

    /// The direction's stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Prompt => "prompt",
            Self::Result => "result",
            Self::Description => "description",
            Self::Answer => "answer",
            Self::History => "history",
        }
    }
}

/// What is done about findings of some rules, tools and directions. A part that is empty matches all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SecretActionRule {
    /// What is done.
    pub action: SecretAction,
    /// Patterns of detection rules (`*` any run of characters, `?` any one).
    #[serde(default)]
    pub rules: Vec<String>,
    /// The vendors whose credentials they are, in any case.
    #[serde(default)]
    pub vendors: Vec<String>,
    /// Patterns of qualified tool names.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Which ways.
    #[serde(default)]
    pub directions: Vec<SecretDirection>,
    /// Only what is at least that sure: `medium`, `high` or `certain`.
    #[serde(default)]
    pub min_confidence: Option<SecretConfidence>,
    /// With `tokenise`: patterns of the qualified names of the tools that get the value back. Empty: those
    /// of the server it came from, or the tool itself where there is no server.
    #[serde(default)]
    pub bind: Vec<String>,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SecretConfidence {
    /// Name and look of the value suggest it.
    Medium,
    /// The form of one vendor's credential.
    High,
    /// The form of one vendor's credential, and its checksum is right.
    Certain,
}

impl SecretConfidence {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Medium => "medium",
            Self::High => "high",
            Self::Certain => "certain",
        }
    }
}

/// Findings that do not count. A part that is empty matches all, but one of `rules`, `tools` and `fields`
/// is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SecretExemption {
    /// The exemption's id, unique among exemptions; decisions that made use of it name it.
    pub id: String,
    /// Why; for those who read the policy.
    pub reason: String,
    /// Patterns of detection rules (`*` any run of characters, `?` any one).
    #[serde(default)]
    pub rules: Vec<String>,
    /// Patterns of qualified tool names.
    #[serde(default)]
    pub tools: Vec<String>,
    /// JSON paths as findings show them, such as `$.headers.authorization` or `$.items[*].token`; `[*]` is
    /// any item, `.*` any key. What lies below a path counts as the path.
    #[serde(default)]
    pub fields: Vec<String>,
    /// Which ways; empty: the arguments of calls only.
    #[serde(default)]
    pub directions: Vec<SecretDirection>,
}

/// The format of a credential of the organisation's own, in the words of the rule files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SecretRule {
    /// Lower case letters, digits and `-`; not one that is built in.
    pub id: String,
    /// What a person calls it; the id when absent.
    #[serde(default)]
    pub name: Option<String>,
    /// Whose credential it is; the id when absent.
    #[serde(default)]
    pub vendor: Option<String>,
    /// The regular expression of the secret (ASCII, linear time, at most 4 KiB).
    pub pattern: String,
    /// Literals one of which starts the secret, or stands `lead` bytes into it. Either these or `names`.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// Parts of the name in front of a value whose form alone says little.
    #[serde(default)]
    pub names: Vec<String>,
    /// How many bytes of the secret stand before its keyword (0 to 256).
    #[serde(default)]
    pub lead: usize,
    /// Fewest bits a byte that the variable part has (0 to 8).
    #[serde(default)]
    pub entropy: f64,
    /// How sure a finding is; `high` when absent.
    #[serde(default)]
    pub confidence: Option<SecretConfidence>,
}

/// A fake credential that nothing legitimate contains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// The canary's id, unique among canaries; findings name it as `canary-<id>`.
    pub id: String,
    /// The tenant in whose data it was planted.
    pub tenant: String,
    /// The fake credential: 16 to 512 visible ASCII characters that occur nowhere else. It opens nothing, so
    /// it may stand here.
    pub value: String,
}
