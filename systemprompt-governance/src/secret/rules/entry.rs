use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::fault::RuleFaultKind;
use crate::secret::Confidence;
use crate::secret::engine::pattern;
use crate::secret::rule::{Checksum, Lead, Rule, Structure, Trigger};

/// Most bytes of a secret that may stand before its keyword.
const MAX_LEAD: usize = 256;

/// Fewest different bytes in the variable part of a value that is known by its name.
const NAMED_DISTINCT: usize = 6;

/// One `[[rule]]` of a rule file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::secret) struct Entry {
    /// Kebab-case, vendor first. Several formats of one credential share it.
    pub(in crate::secret) id: String,
    /// What a person calls it.
    pub(in crate::secret) name: String,
    /// Whose credential it is; `generic` where nobody's.
    pub(in crate::secret) vendor: String,
    /// The page that states the format.
    pub(in crate::secret) source: Option<String>,
    /// Literals one of which starts the secret, or stands `lead` bytes into it.
    #[serde(default)]
    pub(in crate::secret) keywords: Vec<String>,
    /// Parts of the name in front of a value whose form alone says little.
    #[serde(default)]
    pub(in crate::secret) names: Vec<String>,
    /// Code of its own.
    structure: Option<Structure>,
    /// The regular expression of the secret.
    #[serde(default)]
    pub(in crate::secret) pattern: String,
    /// Whether one of the names shortly before a value is enough, or they are ordinary words that count
    /// only as part of a name that says secret.
    #[serde(default = "yes")]
    near: bool,
    lead: Option<LeadField>,
    #[serde(default)]
    word: bool,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    digit: bool,
    distinct: Option<usize>,
    #[serde(default)]
    entropy: f64,
    #[serde(default = "high")]
    confidence: Confidence,
    checksum: Option<Checksum>,
    /// Templates of texts in which the rule finds something.
    #[serde(default, alias = "examples")]
    #[cfg_attr(not(test), expect(dead_code, reason = "documentation, and read by the tests"))]
    pub(in crate::secret) example: Vec<String>,
    /// Templates of texts in which no rule finds anything.
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "documentation, and read by the tests"))]
    pub(in crate::secret) counter_example: Vec<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(untagged)]
enum LeadField {
    Bytes(usize),
    Word(LeadWord),
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LeadWord {
    Digits,
}

fn yes() -> bool {
    true
}

fn high() -> Confidence {
    Confidence::High
}

impl Entry {
    /// Says what is wrong with the entry, if anything, short of compiling its pattern.
    pub(super) fn check(&self) -> Result<(), RuleFaultKind> {
        let id = || self.id.clone();
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.id.is_empty() || !self.id.bytes().all(plain) {
            return Err(RuleFaultKind::Id(id()));
        }
        let triggers =
            [!self.keywords.is_empty(), !self.names.is_empty(), self.structure.is_some()];
        if triggers.iter().filter(|given| **given).count() != 1 {
            return Err(RuleFaultKind::Trigger(id()));
        }
        if let Some(keyword) = self.keywords.iter().find(|word| word.len() < 2 || !word.is_ascii())
        {
            return Err(RuleFaultKind::Keyword { id: id(), keyword: keyword.clone() });
        }
        let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if let Some(name) =
            self.names.iter().find(|name| name.is_empty() || !name.bytes().all(word))
        {
            return Err(RuleFaultKind::Name { id: id(), name: name.clone() });
        }
        if !(0.0..=8.0).contains(&self.entropy) {
            return Err(RuleFaultKind::Range { id: id(), field: "entropy" });
        }
        if matches!(self.lead, Some(LeadField::Bytes(bytes)) if bytes > MAX_LEAD) {
            return Err(RuleFaultKind::Range { id: id(), field: "lead" });
        }
        if self.structure.is_some() != self.pattern.is_empty() {
            let reason = "a rule with keywords or names has one, a rule with a structure has none";
            return Err(RuleFaultKind::Pattern { id: id(), reason: reason.to_owned() });
        }
        Ok(())
    }

    /// Says why the pattern cannot be used, if so. Those of the built-in files are compiled when they are
    /// first needed, and by the tests.
    pub(in crate::secret) fn compile(&self) -> Result<(), RuleFaultKind> {
        if self.structure.is_some() {
            return Ok(());
        }
        pattern::check(&self.pattern)
            .map_err(|reason| RuleFaultKind::Pattern { id: self.id.clone(), reason })
    }

    /// Whether the rule is code of its own, and this code.
    pub(in crate::secret) fn is_structure(&self, structure: Structure) -> bool {
        self.structure == Some(structure)
    }

    /// A digest of all that makes the rule find what it finds.
    pub(in crate::secret) fn digest(&self) -> [u8; 32] {
        Sha256::digest(format!("{:?}", self.rule())).into()
    }

    /// The rule of this entry.
    pub(in crate::secret) fn rule(&self) -> Rule {
        let boxed = |words: &[String]| words.iter().map(|word| word.as_str().into()).collect();
        let trigger = match self.structure {
            Some(structure) => Trigger::Structure(structure),
            None if self.names.is_empty() => Trigger::Literals(boxed(&self.keywords)),
            None => Trigger::Names(boxed(&self.names)),
        };
        let distinct = if self.names.is_empty() { 1 } else { NAMED_DISTINCT };
        Rule {
            id: self.id.as_str().into(),
            vendor: self.vendor.as_str().into(),
            trigger,
            pattern: self.pattern.as_str().into(),
            lead: match self.lead {
                None => Lead::Bytes(0),
                Some(LeadField::Bytes(bytes)) => Lead::Bytes(bytes),
                Some(LeadField::Word(LeadWord::Digits)) => Lead::Digits,
            },
            near: self.near,
            word: self.word,
            closed: self.closed,
            distinct: self.distinct.unwrap_or(distinct),
            entropy: self.entropy,
            digit: self.digit,
            confidence: self.confidence,
            checksum: self.checksum,
        }
    }
}
