//! What the index knows of an event.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

/// The bits of a term: SQLite keeps a number of so many in six bytes.
const BITS: u64 = (1 << 47) - 1;

/// A property that events are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Facet {
    /// The kind; only of kinds that are rare.
    Kind = 1,
    /// The tenant.
    Tenant = 2,
    /// The user.
    User = 3,
    /// The agent.
    Agent = 4,
    /// The session.
    Session = 5,
    /// The call.
    Call = 6,
    /// The tool's own name.
    Tool = 7,
    /// The verdict.
    Decision = 8,
    /// The code of the reason.
    Reason = 9,
}

/// A property with its value, as a number that is the same on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Term(i64);

impl Term {
    /// The term of `value` as a `facet`.
    pub(crate) fn of(facet: Facet, value: &str) -> Self {
        let mut hasher = SipHasher13::new_with_keys(0x6175_6469_7469_6478, facet as u64);
        hasher.write(value.as_bytes());
        Self(i64::try_from(hasher.finish() & BITS).unwrap_or_default())
    }

    /// The number.
    pub(crate) fn get(self) -> i64 {
        self.0
    }
}

/// Whether events of `kind` have a term for it. The two kinds that nearly all events are of have none:
/// a list of them would be as long as the log.
pub(crate) fn is_rare(kind: &str) -> bool {
    !matches!(kind, "decision" | "outcome")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_stay_what_they_are() {
        // They are on disk: another value for one of these means another version of the index.
        let term = Term::of(Facet::User, "ada");
        assert_eq!(term, Term::of(Facet::User, "ada"));
        assert_ne!(term, Term::of(Facet::Agent, "ada"));
        assert_ne!(term, Term::of(Facet::User, "adb"));
        assert!((0..1 << 47).contains(&term.get()));
    }
}
