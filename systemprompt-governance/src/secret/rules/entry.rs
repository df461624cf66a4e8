use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use systemprompt_core::policy::{Canary, SecretRule};

use super::fault::RuleFaultKind;
use crate::secret::Confidence;
use crate::secret::engine::pattern;
use crate::secret::rule::{Checksum, Lead, Rule, Structure, Trigger};

/// Most bytes of a secret that may stand before its keyword.
const MAX_LEAD: usize = 256;

/// What the id of a canary's rule begins with.
pub(crate) const CANARY: &str = "canary-";

/// How much of a canary is looked for before the rest is compared.
const CANARY_KEYWORD: usize = 8;

/// Fewest different bytes in the variable part of a value that is known by its name.
const NAMED_DISTINCT: usize = 6;

/// One `[[rule]]` of a rule file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Kebab-case, vendor first. Several formats of one credential share it.
    pub(crate) id: String,
    /// What a person calls it.
    pub(in crate::secret) name: String,
    /// Whose credential it is; `generic` where nobody's.
    pub(crate) vendor: String,
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
    /// Whether only what its checksum proves is found.
    #[serde(default)]
    checked: bool,
    /// Templates of texts in which the rule finds something.
    #[serde(default)]
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
    /// The entry of a format that a policy describes.
    pub(crate) fn of_policy(rule: &SecretRule) -> Self {
        let or_id = |text: &Option<String>| text.clone().unwrap_or_else(|| rule.id.clone());
        Self {
            keywords: rule.keywords.clone(),
            names: rule.names.clone(),
            pattern: rule.pattern.clone(),
            lead: Some(LeadField::Bytes(rule.lead)),
            entropy: rule.entropy,
            confidence: rule.confidence.unwrap_or(Confidence::High),
            ..Self::named(rule.id.clone(), or_id(&rule.name), or_id(&rule.vendor))
        }
    }

    /// The entry of a fake credential: itself, wherever it stands.
    pub(crate) fn of_canary(canary: &Canary) -> Self {
        let keyword = canary.value.get(..CANARY_KEYWORD).unwrap_or(&canary.value);
        Self {
            keywords: vec![keyword.to_owned()],
            // Letters, digits, `_` and `-`: nothing that a pattern would take for something else.
            pattern: canary.value.clone(),
            confidence: Confidence::Certain,
            ..Self::named(format!("{CANARY}{}", canary.id), "canary".into(), "canary".into())
        }
    }

    fn named(id: String, name: String, vendor: String) -> Self {
        Self {
            id,
            name,
            vendor,
            source: None,
            keywords: Vec::new(),
            names: Vec::new(),
            structure: None,
            pattern: String::new(),
            near: true,
            lead: None,
            word: false,
            closed: false,
            digit: false,
            distinct: None,
            entropy: 0.0,
            confidence: Confidence::High,
            checksum: None,
            checked: false,
            example: Vec::new(),
            counter_example: Vec::new(),
        }
    }

    /// Says what is wrong with the entry, if anything, short of compiling its pattern.
    pub(crate) fn check(&self) -> Result<(), RuleFaultKind> {
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
        if self.checked && self.checksum.is_none() {
            return Err(RuleFaultKind::Unchecked(id()));
        }
        if self.structure.is_some() != self.pattern.is_empty() {
            let reason = "a rule with keywords or names has one, a rule with a structure has none";
            return Err(RuleFaultKind::Pattern { id: id(), reason: reason.to_owned() });
        }
        Ok(())
    }

    /// Says why the pattern cannot be used, if so. Those of the built-in files are compiled when they are
    /// first needed, and by the tests.
    pub(crate) fn compile(&self) -> Result<(), RuleFaultKind> {
        if self.structure.is_some() {
            return Ok(());
        }
        let fault = |reason| RuleFaultKind::Pattern { id: self.id.clone(), reason };
        pattern::check(&self.pattern).map_err(fault)?;
        let leads = !matches!(self.lead, None | Some(LeadField::Bytes(0)));
        let starts = |keyword: &&String| pattern::may_start_with(&self.pattern, keyword.as_bytes());
        match self.keywords.iter().find(|keyword| !leads && !starts(keyword)) {
            Some(keyword) => {
                Err(fault(format!("it matches nothing that starts with the keyword `{keyword}`")))
            }
            None => Ok(()),
        }
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
            checked: self.checked,
        }
    }
}
