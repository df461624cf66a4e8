use std::sync::Arc;

/// What is wrong with a rule file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {kind}")]
#[non_exhaustive]
pub struct RuleFault {
    /// The file as it was named.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: RuleFaultKind,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleFaultKind {
    /// The file is not TOML, or a field is unknown, missing or of the wrong type.
    #[error("{0}")]
    Syntax(String),
    /// The id is empty or has other characters than `a-z`, `0-9` and `-`.
    #[error("`{0}` is no rule id: lower-case letters, digits and `-`")]
    Id(String),
    /// Not exactly one of `keywords`, `names` and `structure` is given.
    #[error("rule `{0}` needs exactly one of `keywords`, `names` and `structure`")]
    Trigger(String),
    /// A keyword is too short or not ASCII.
    #[error("keyword `{keyword}` of rule `{id}` is not 2 or more ASCII characters")]
    Keyword {
        /// The rule.
        id: String,
        /// The keyword.
        keyword: String,
    },
    /// A name is not lower-case words joined by `_`.
    #[error("name `{name}` of rule `{id}` is not lower-case words joined by `_`")]
    Name {
        /// The rule.
        id: String,
        /// The name.
        name: String,
    },
    /// The pattern is missing, does not compile or matches the empty text.
    #[error("pattern of rule `{id}`: {reason}")]
    Pattern {
        /// The rule.
        id: String,
        /// Why it is refused.
        reason: String,
    },
    /// A checksum must hold, and none is named.
    #[error("rule `{0}` is `checked` and names no `checksum`")]
    Unchecked(String),
    /// A number is out of range.
    #[error("`{field}` of rule `{id}` is out of range")]
    Range {
        /// The rule.
        id: String,
        /// The field.
        field: &'static str,
    },
    /// The id belongs to another rule, which is built in or was added before.
    #[error("there is a rule `{0}` already; give yours another id")]
    Taken(String),
}
