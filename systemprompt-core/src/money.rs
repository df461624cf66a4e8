//! Money as integer microdollars.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money in microdollars (1,000,000 = 1 US dollar). Arithmetic is checked.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Microdollars(i64);

impl Microdollars {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// `amount` microdollars.
    #[must_use]
    pub const fn new(amount: i64) -> Self {
        Self(amount)
    }

    /// The amount in microdollars.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or `None` on overflow.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The amount `count` times, or `None` on overflow.
    #[must_use]
    pub fn checked_mul(self, count: i64) -> Option<Self> {
        self.0.checked_mul(count).map(Self)
    }
}

impl fmt::Display for Microdollars {
    /// Dollars with six decimals, such as `$1.063761`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = self.0.unsigned_abs();
        write!(f, "{sign}${}.{:06}", amount / 1_000_000, amount % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_is_checked_and_display_is_exact() {
        assert_eq!(Microdollars::new(i64::MAX).checked_add(Microdollars::new(1)), None);
        assert_eq!(Microdollars::new(2).checked_mul(i64::MAX), None);
        assert_eq!(
            Microdollars::ZERO.checked_sub(Microdollars::new(5)).unwrap().to_string(),
            "-$0.000005"
        );
        assert_eq!(Microdollars::new(1_063_761).to_string(), "$1.063761");
    }
}
