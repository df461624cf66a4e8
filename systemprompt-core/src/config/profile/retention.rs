use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long events are kept. What goes leaves a signed trace, and the rest is verified as before.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSection {
    /// Not longer than this: `90d`, `12h` (at least one hour). For ever when absent.
    pub age: Option<KeepFor>,
    /// Not more than about this much: `500MiB`, `10GiB` (at least 1 MiB), by an estimate of what events take
    /// with their indexes. As much as there is when absent.
    pub size: Option<KeepSize>,
}

/// A time that something is kept: whole days, hours or minutes, `400d`, `12h` or `90m`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct KeepFor(Duration);

/// A size that something may have: `500MiB`, `10GiB` or `2TiB`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct KeepSize(u64);

/// A text that is no such amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number followed by {0}")]
pub struct AmountError(&'static str);

const TIMES: [(&str, u64); 3] = [("d", 86_400), ("h", 3600), ("m", 60)];
const SIZES: [(&str, u64); 3] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20)];

impl KeepFor {
    /// The time.
    #[must_use]
    pub fn get(self) -> Duration {
        self.0
    }
}

impl KeepSize {
    /// Bytes.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

fn amount(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (number, unit) =
        units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(*unit)
}

fn write(amount: u64, units: &[(&str, u64)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // What was parsed is a multiple of one of them.
    let unit = units.iter().find(|(_, unit)| amount.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) => write!(f, "{}{name}", amount / unit),
        None => write!(f, "{amount}"),
    }
}

impl FromStr for KeepFor {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        let seconds = amount(text, &TIMES).ok_or(AmountError("`d`, `h` or `m`"))?;
        Ok(Self(Duration::from_secs(seconds)))
    }
}

impl FromStr for KeepSize {
    type Err = AmountError;
    fn from_str(text: &str) -> Result<Self, AmountError> {
        amount(text, &SIZES).map(Self).ok_or(AmountError("`MiB`, `GiB` or `TiB`"))
    }
}

impl TryFrom<String> for KeepFor {
    type Error = AmountError;
    fn try_from(text: String) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl TryFrom<String> for KeepSize {
    type Error = AmountError;
    fn try_from(text: String) -> Result<Self, AmountError> {
        text.parse()
    }
}

impl From<KeepFor> for String {
    fn from(time: KeepFor) -> Self {
        time.to_string()
    }
}

impl From<KeepSize> for String {
    fn from(size: KeepSize) -> Self {
        size.to_string()
    }
}

impl fmt::Display for KeepFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0.as_secs(), &TIMES, f)
    }
}

impl fmt::Display for KeepSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.0, &SIZES, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_numbers_of_a_unit() {
        for text in ["400d", "12h", "90m", "0d"] {
            assert_eq!(text.parse::<KeepFor>().unwrap().to_string(), text);
        }
        assert_eq!("48h".parse::<KeepFor>().unwrap().to_string(), "2d");
        for text in ["1MiB", "10GiB", "3TiB"] {
            assert_eq!(text.parse::<KeepSize>().unwrap().to_string(), text);
        }
        for text in ["", "d", "4", "-4d", "+4d", "4 d", "1.5d", "4D", "99999999999999999999d"] {
            assert!(text.parse::<KeepFor>().is_err(), "{text}");
        }
        for text in ["1GB", "1", "GiB", "99999999999TiB"] {
            assert!(text.parse::<KeepSize>().is_err(), "{text}");
        }
    }
}
