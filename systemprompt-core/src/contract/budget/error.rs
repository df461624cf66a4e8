use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::BudgetKey;
use crate::clock::Timestamp;
use crate::id::ReservationId;
use crate::money::Microdollars;

/// Why a store of budgets did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// A cap does not allow it.
    #[error(transparent)]
    Refused(#[from] BudgetRefusal),
    /// There is no such reservation; it may have been forgotten after it was closed.
    #[error("there is no reservation `{0}`")]
    Unknown(ReservationId),
    /// The reservation was settled, released or returned.
    #[error("the reservation `{0}` is not open any more")]
    NotOpen(ReservationId),
    /// An amount that cannot be reserved or settled.
    #[error("the amount of {unit} must be 0 to 9223372036854775807")]
    Amount {
        /// Of what.
        unit: BudgetUnit,
    },
    /// The store could not be asked. The text names the cause, without values.
    #[error("the budget store is unavailable: {0}")]
    Unavailable(String),
}

/// A cap that does not allow a request. Where several do not, the one whose window ends last.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the budget `{name}` has {} left of {}, {} were asked for; its window ends in {} s",
    .unit.amount(*.left), .unit.amount(*.limit), .unit.amount(*.asked), seconds(*.retry_after)
)]
pub struct BudgetRefusal {
    /// The budget's name.
    pub name: Arc<str>,
    /// Whose counter it is.
    pub key: BudgetKey,
    /// What there is not enough of.
    pub unit: BudgetUnit,
    /// The most there may be in a window.
    pub limit: u64,
    /// What is left of it.
    pub left: u64,
    /// What was asked for.
    pub asked: u64,
    /// When the window ends. Reservations that are settled for less may make room before.
    pub frees_at: Timestamp,
    /// The time until then.
    pub retry_after: Duration,
}

impl BudgetRefusal {
    /// Whether it is no use to wait, because more was asked for than the cap allows at all.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.asked > self.limit
    }
}

/// Whole seconds after which `duration` has passed.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0))
}

/// What a cap limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BudgetUnit {
    /// Money, in microdollars.
    Microdollars,
    /// Tokens.
    Tokens,
}

impl BudgetUnit {
    /// `microdollars` or `tokens`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Microdollars => "microdollars",
            Self::Tokens => "tokens",
        }
    }

    /// An amount for people.
    fn amount(self, amount: u64) -> String {
        match self {
            Self::Microdollars => {
                Microdollars::new(i64::try_from(amount).unwrap_or(i64::MAX)).to_string()
            }
            Self::Tokens => format!("{amount} tokens"),
        }
    }
}

impl fmt::Display for BudgetUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_cap_its_limit_and_what_is_left() {
        let refusal = BudgetRefusal {
            name: "daily".into(),
            key: BudgetKey::new("daily"),
            unit: BudgetUnit::Microdollars,
            limit: 1_000_000,
            left: 10_000,
            asked: 10_001,
            frees_at: Timestamp::from_micros(86_400_000_000),
            retry_after: Duration::from_secs(60),
        };
        assert!(!refusal.is_final());
        assert_eq!(
            BudgetError::from(refusal.clone()).to_string(),
            "the budget `daily` has $0.010000 left of $1.000000, $0.010001 were asked for; its window \
             ends in 60 s"
        );
        let refusal = BudgetRefusal { unit: BudgetUnit::Tokens, limit: 10_000, ..refusal };
        assert!(refusal.is_final());
        assert!(refusal.to_string().contains("10000 tokens left of 10000 tokens"), "{refusal}");
        // Whatever the clock says.
        let refusal = BudgetRefusal {
            frees_at: Timestamp::from_micros(i64::MAX),
            retry_after: Duration::from_micros(1),
            ..refusal
        };
        assert!(refusal.to_string().ends_with("its window ends in 1 s"), "{refusal}");
    }
}
