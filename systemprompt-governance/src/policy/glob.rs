use std::fmt;

use systemprompt_core::wildcard;

/// A pattern over tool or server names: `*` is any run of characters, `?` any one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Glob {
    text: Box<str>,
    shape: Shape,
}

/// What a pattern looks like, so that most of them need no matching at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shape {
    /// No wildcard.
    Exact,
    /// `*`.
    Any,
    /// A literal and a final `*`.
    Prefix,
    /// Anything else.
    Other,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GlobFault {
    Empty,
    TooLong,
    Character(char),
}

/// Longest pattern in bytes: a qualified name with both parts at their longest.
const MAX_BYTES: usize = 517;

impl Glob {
    /// Parses a pattern for tool names.
    pub(crate) fn parse(text: &str) -> Result<Self, GlobFault> {
        if text.is_empty() {
            return Err(GlobFault::Empty);
        }
        if text.len() > MAX_BYTES {
            return Err(GlobFault::TooLong);
        }
        let legal = |c: char| c.is_ascii_alphanumeric() || "_-./:*?".contains(c);
        if let Some(c) = text.chars().find(|c| !legal(*c)) {
            return Err(GlobFault::Character(c));
        }
        let collapsed = wildcard::collapsed(text);
        Ok(Self { shape: Shape::of(&collapsed), text: collapsed.into() })
    }

    /// The same pattern for case-folded names.
    pub(crate) fn folded(&self) -> Self {
        Self { text: self.text.to_ascii_lowercase().into(), shape: self.shape }
    }

    pub(crate) fn shape(&self) -> Shape {
        self.shape
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What comes before the final `*` of a [`Shape::Prefix`].
    pub(crate) fn prefix(&self) -> &str {
        self.text.strip_suffix('*').unwrap_or(&self.text)
    }

    /// The longest run without a wildcard, which every match contains; may be empty.
    pub(crate) fn literal(&self) -> &str {
        self.text.split(['*', '?']).max_by_key(|run| run.len()).unwrap_or("")
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        match self.shape {
            Shape::Exact => *self.text == *name,
            Shape::Any => true,
            Shape::Prefix => name.starts_with(self.prefix()),
            Shape::Other => wildcard::matches(&self.text, name),
        }
    }

    /// Whether every name that `other` matches is matched by this pattern too. May say no although it
    /// is so, never the reverse: a wildcard of `other` counts as a character that only a wildcard
    /// matches.
    pub(crate) fn covers(&self, other: &str) -> bool {
        wildcard::covers(&self.text, other)
    }
}

impl Shape {
    fn of(text: &str) -> Self {
        let wildcards = text.bytes().filter(|byte| matches!(byte, b'*' | b'?')).count();
        match wildcards {
            0 => Self::Exact,
            1 if text == "*" => Self::Any,
            1 if text.ends_with('*') => Self::Prefix,
            _ => Self::Other,
        }
    }
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Glob({})", self.text)
    }
}

impl fmt::Display for GlobFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the pattern is empty"),
            Self::TooLong => write!(f, "the pattern is longer than {MAX_BYTES} bytes"),
            Self::Character(c) => write!(
                f,
                "the pattern holds `{}`, which no name can hold; letters, digits, `_-./:`, `*` and `?` are allowed",
                c.escape_default()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn glob(text: &str) -> Glob {
        Glob::parse(text).unwrap()
    }

    #[test]
    fn wildcards_match_runs_and_single_characters() {
        for (pattern, yes, no) in [
            ("read", "read", "reads"),
            ("*", "anything", ""),
            ("db_*", "db_", "d_b"),
            ("*_file", "read_file", "read_files"),
            ("a?c", "abc", "ac"),
            ("a*b*c", "a-b-b-c", "a-b-b"),
            ("*del*e", "x_delete", "x_deleted"),
        ] {
            assert!(glob(pattern).matches(yes), "{pattern} {yes}");
            assert!(no.is_empty() || !glob(pattern).matches(no), "{pattern} {no}");
        }
    }

    #[test]
    fn illegal_patterns_are_named() {
        assert_eq!(Glob::parse(""), Err(GlobFault::Empty));
        assert_eq!(Glob::parse("a b"), Err(GlobFault::Character(' ')));
        assert_eq!(Glob::parse("d\u{435}lete"), Err(GlobFault::Character('\u{435}')));
        assert_eq!(Glob::parse(&"a".repeat(600)), Err(GlobFault::TooLong));
        assert_eq!(glob("a**b").as_str(), "a*b");
    }

    proptest! {
        #[test]
        fn what_covers_a_pattern_matches_all_it_matches(
            wide in "[ab*?]{1,5}",
            narrow in "[ab*?]{1,5}",
            name in "[ab]{0,6}",
        ) {
            let (wide, narrow) = (glob(&wide), glob(&narrow));
            if wide.covers(narrow.as_str()) && narrow.matches(&name) {
                prop_assert!(wide.matches(&name));
            }
        }

        #[test]
        fn every_match_contains_the_literal(pattern in "[ab*?]{1,6}", name in "[ab]{0,8}") {
            let pattern = glob(&pattern);
            if pattern.matches(&name) {
                prop_assert!(name.contains(pattern.literal()));
            }
        }
    }
}
