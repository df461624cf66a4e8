use super::rule::Trigger;
use super::rules;

/// One format a [`Scanner`](super::Scanner) knows, for listings and for comparison with other scanners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Format {
    /// The id of its rule; a rule may have several formats.
    pub id: &'static str,
    /// Whose credential it is.
    pub vendor: &'static str,
    /// The literals one of which is part of the credential; empty when it is known by its name or structure.
    pub literals: &'static [&'static str],
    /// The regular expression of the credential; empty when it is known by its structure.
    pub pattern: &'static str,
}

/// Every format.
pub(super) fn all() -> impl Iterator<Item = Format> {
    rules::all().map(|rule| Format {
        id: rule.id,
        vendor: rule.vendor,
        literals: match rule.trigger {
            Trigger::Literals(literals) => literals,
            Trigger::Names(_) | Trigger::Structure => &[],
        },
        pattern: rule.pattern,
    })
}
