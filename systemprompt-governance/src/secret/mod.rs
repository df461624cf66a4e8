//! Secret detection: credentials in the arguments of a call, in prompts and in text about to be recorded.
//!
//! A [`Scanner`] looks at *decoded* text: JSON string values and JSON keys with their escapes resolved, so
//! that spelling a character as `\u0067` hides nothing. Three things give a secret away:
//!
//! - **its form**: about a thousand vendor formats of [`rules`](self), each anchored at a literal such as
//!   `ghp_` and confirmed by a pattern;
//! - **its place**: a value that looks random behind a name that says `secret`, `token`, `api_key` or
//!   `password`, be the name a JSON key, an assignment, a header, a flag or a few words of prose;
//! - **its structure**: private key blocks, URLs with a password in them, `Authorization` headers.
//!
//! A [`Finding`] says which rule fired, where, and a keyed fingerprint; it never holds a character of the
//! secret, and neither does its location.
//!
//! # How it stays fast
//!
//! Credentials are long unbroken runs of letters and digits, benign text is not. The scanner leaps over
//! the text thirteen bytes at a time and stops only where a run is long enough; only there are the
//! literals looked up, and only behind a literal that is present does a pattern run. What is short by
//! nature (passwords) is found by a vectorised search for the few words that announce it. Every step is
//! linear in the text, and a text that makes the patterns work far harder than text does is itself reported
//! under the rule `scan-budget`.
//!
//! ```
//! use systemprompt_core::call::Arguments;
//! use systemprompt_governance::secret::Scanner;
//!
//! let scanner = Scanner::builder().fingerprint_key(&[7; 32]).build()?;
//! let token = format!("{}_{}", "ghp", "16C7e42F292c6912E7710c838347Ae178B4a");
//! let arguments = Arguments::parse(format!(r#"{{"env": [{{"GH": "{token}"}}]}}"#))?;
//!
//! let finding = scanner.scan_arguments(&arguments).expect("a finding");
//! assert_eq!(&*finding.rule, "github-token");
//! assert_eq!(finding.location.as_str(), "$.env[0].GH");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod anchors;
mod armour;
mod base64;
mod builder;
mod class;
mod context;
mod cue;
mod engine;
mod finding;
mod fingerprint;
mod format;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzed;
mod join;
mod keys;
mod letters;
mod location;
mod look;
mod mnemonic;
mod name;
mod quiet;
mod redact;
mod rewrite;
mod rule;
mod rules;
mod skim;
mod structure;
mod value;
mod view;
mod walk;
mod wrapping;

#[cfg(test)]
mod tests;

pub use builder::{ScannerBuilder, ScannerError};
pub use finding::{Confidence, Finding, Match};
pub use format::Format;
pub(crate) use rewrite::{Found, Spot, rewritten, spliced, spots};
pub(crate) use rules::{CANARY, Entry};
pub use rules::{RuleFault, RuleFaultKind};

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use systemprompt_core::call::Arguments;
use systemprompt_core::secret::Redact;

use self::engine::Engine;
use self::fingerprint::FingerprintKey;

/// The rule that reports what could not be looked through.
pub(crate) const SCAN_BUDGET: &str = "scan-budget";

/// The secret stage of the pipeline: what looks through calls and through text that is recorded.
///
/// [`Scanner`] is the implementation; hosts and tests may bring another one.
pub trait Scan: Redact {
    /// The first secret of the arguments in document order.
    fn scan_arguments(&self, arguments: &Arguments) -> Option<Finding>;

    /// The first secret of a text such as a prompt; its location is `$`.
    fn scan_text(&self, text: &str) -> Option<Finding>;
}

/// Finds and redacts secrets. A clone shares everything with the original.
#[derive(Clone)]
pub struct Scanner(Arc<Inner>);

struct Inner {
    engine: Engine,
    key: FingerprintKey,
    sources: Sources,
    rules: Arc<str>,
}

/// What a scanner was built from, beside the rules that are built in.
#[derive(Clone)]
struct Sources {
    /// Ids of rules that are left out.
    disabled: Arc<BTreeSet<String>>,
    /// Rules of the host.
    added: Arc<[Entry]>,
}

impl Scanner {
    /// A builder with every rule enabled.
    #[must_use]
    pub fn builder() -> ScannerBuilder {
        ScannerBuilder::default()
    }

    /// The first secret of the arguments in document order: a key comes before its value.
    #[must_use]
    pub fn scan_arguments(&self, arguments: &Arguments) -> Option<Finding> {
        walk::first(self, arguments.root())
    }

    /// Every secret of the arguments in document order.
    #[must_use]
    pub fn find_all(&self, arguments: &Arguments) -> Vec<Finding> {
        walk::all(self, arguments.root())
    }

    /// The first secret of a text such as a prompt; its location is `$`.
    #[must_use]
    pub fn scan_text(&self, text: &str) -> Option<Finding> {
        walk::text(self, text)
    }

    /// Every secret of a text, in order, with the bytes it takes. Places do not overlap.
    #[must_use]
    pub fn find_in_text(&self, text: &str) -> Vec<Match> {
        walk::matches(self, text)
    }

    /// Id and vendor of the rules of this scanner; a rule with several formats occurs for each.
    pub fn rules_in_use(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.engine().rules()
    }

    /// A scanner that finds all that this one finds, with the same fingerprints, and what `entries` describe;
    /// they must have been checked.
    pub(crate) fn with_rules(&self, entries: &[Entry]) -> Self {
        let Inner { key, sources, .. } = &*self.0;
        Self(Arc::new(Inner::new(key.clone(), sources.clone(), entries)))
    }

    /// What the rules of this scanner are called, 8 hex digits: scanners with one name find the same.
    #[must_use]
    pub fn rules(&self) -> &Arc<str> {
        &self.0.rules
    }

    /// Every format there is.
    pub fn formats() -> impl Iterator<Item = Format> {
        format::all()
    }

    fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// A key that all scanners with one fingerprint key agree on.
    pub(crate) fn derive_key(&self, purpose: &str) -> [u8; 16] {
        self.key().derive(purpose)
    }

    fn key(&self) -> &FingerprintKey {
        &self.0.key
    }
}

/// The text as a person would read it: without what nobody sees, look-alikes as what they look like.
pub(crate) fn folded(text: &str) -> std::borrow::Cow<'_, str> {
    view::folded(text)
}

/// The text without what nobody sees.
pub(crate) fn visible(text: &str) -> std::borrow::Cow<'_, str> {
    view::visible(text)
}

impl Scan for Scanner {
    fn scan_arguments(&self, arguments: &Arguments) -> Option<Finding> {
        Self::scan_arguments(self, arguments)
    }

    fn scan_text(&self, text: &str) -> Option<Finding> {
        Self::scan_text(self, text)
    }
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scanner({} rules)", self.0.engine.len())
    }
}
