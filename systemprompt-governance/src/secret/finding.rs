use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use systemprompt_core::decision::SecretLocation;
pub use systemprompt_core::policy::SecretConfidence as Confidence;

/// One secret that was found. Holds no character of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// The id of the rule.
    pub rule: Arc<str>,
    /// Whose credential it is; `generic` where that cannot be told.
    pub vendor: Arc<str>,
    /// Where: a JSON path; a key that is itself the secret shows as `[key:<n>]`.
    pub location: SecretLocation,
    /// The first 16 bytes of HMAC-SHA256 over the secret under the key of the installation, in hex.
    pub fingerprint: String,
    /// How sure the rule is.
    pub confidence: Confidence,
    /// The reading of the text in which it was seen: `plain`, or what had to be undone first, such as
    /// `percent>base64`.
    pub view: Cow<'static, str>,
}

/// A finding in a text, and the bytes of the text it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match {
    /// What was found; its location is `$`.
    pub finding: Finding,
    /// Where, in bytes.
    pub span: Range<usize>,
}
