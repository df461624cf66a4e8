use super::rules::{Entry, built_in};

/// One format a [`Scanner`](super::Scanner) knows, for listings and for comparison with other scanners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Format {
    /// The id of its rule; a rule may have several formats.
    pub id: &'static str,
    /// What a person calls it.
    pub name: &'static str,
    /// Whose credential it is.
    pub vendor: &'static str,
    /// The page that states the format, where there is one.
    pub source: Option<&'static str>,
    /// The literals one of which is part of the credential; empty when it is known by its name or structure.
    pub keywords: &'static [String],
    /// Parts of the name in front of the credential, lower case with words joined by `_`; empty when its form
    /// tells enough.
    pub names: &'static [String],
    /// The regular expression of the credential; empty when it is known by its structure.
    pub pattern: &'static str,
}

/// Every format that is built in.
pub(super) fn all() -> impl Iterator<Item = Format> {
    built_in().unwrap_or_default().iter().map(|entry: &'static Entry| Format {
        id: &entry.id,
        name: &entry.name,
        vendor: &entry.vendor,
        source: entry.source.as_deref(),
        keywords: &entry.keywords,
        names: &entry.names,
        pattern: &entry.pattern,
    })
}
