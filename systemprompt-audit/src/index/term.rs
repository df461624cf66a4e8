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
    ///
    /// That of an id which tells when it was made (RFC 9562, section 5.7) is the millisecond: those that
    /// are made one after the other stand next to each other, and the few that share one with others are
    /// told apart by the events themselves.
    pub(crate) fn of(facet: Facet, value: &str) -> Self {
        if let Some(millis) = made_at(value) {
            return Self(millis << 4 | facet as i64);
        }
        let mut hasher = SipHasher13::new_with_keys(0x6175_6469_7469_6478, facet as u64);
        hasher.write(value.as_bytes());
        Self(i64::try_from(hasher.finish() & BITS).unwrap_or_default())
    }

    /// The term with this number.
    pub(super) fn numbered(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub(crate) fn get(self) -> i64 {
        self.0
    }
}

/// The time in a version 7 UUID in its usual form, in milliseconds.
fn made_at(value: &str) -> Option<i64> {
    let bytes: &[u8; 36] = value.as_bytes().try_into().ok()?;
    let [a, b, c, d, e, f, g, h, b'-', i, j, k, l, b'-', b'7', ..] = bytes else { return None };
    let digits = [a, b, c, d, e, f, g, h, i, j, k, l];
    let value =
        |millis: i64, digit: &&u8| Some(millis << 4 | i64::from(char::from(**digit).to_digit(16)?));
    // 43 bits, with the facet, are a number that SQLite keeps in six bytes until the year 2248.
    digits.iter().try_fold(0, value).filter(|millis| *millis < 1 << 43)
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

    #[test]
    fn ids_with_a_time_stand_in_its_order() {
        let call = |text| Term::of(Facet::Call, text);
        let (early, later) =
            ("0192f0c1-2b3c-7000-8000-000000000001", "0192f0c1-2b3d-7000-8000-000000000000");
        assert_eq!(call(early).get(), 0x0192_f0c1_2b3c << 4 | Facet::Call as i64);
        assert!(call(early) < call(later));
        assert_ne!(call(early), Term::of(Facet::Session, early));
        assert!((0..1 << 47).contains(&call(later).get()));
        for other in [
            "0192f0c1-2b3c-4000-8000-000000000001",
            "0192f0c1-2b3c-7000-8000-00000000000",
            "g192f0c1-2b3c-7000-8000-000000000001",
            "ffffffff-2b3c-7000-8000-000000000001",
        ] {
            assert_eq!(made_at(other), None, "{other}");
        }
    }
}
