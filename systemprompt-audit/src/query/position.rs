use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Longest text of a position, in bytes.
const LONGEST: usize = 64 * 1024;

/// How far the logs of a database have been read: the number of each log with a place in it.
///
/// As text `1:523,4:17`, or `0` before every event. A log that is not named has not been read: it did
/// not exist when the position was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPosition(BTreeMap<i64, i64>);

/// A text that is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the position of an event that was read before")]
pub struct PositionError;

impl LogPosition {
    /// Before every event.
    #[must_use]
    pub fn beginning() -> Self {
        Self::default()
    }

    /// The place up to which the log with the number `log_id` has been read.
    pub(crate) fn of(&self, log_id: i64) -> i64 {
        self.0.get(&log_id).copied().unwrap_or(0)
    }

    /// Notes that the log with the number `log_id` has been read up to `seq`. Never goes back.
    pub fn advance(&mut self, log_id: i64, seq: i64) {
        let place = self.0.entry(log_id).or_insert(0);
        *place = seq.max(*place);
    }

    /// The same position without the logs of which nothing has been read.
    pub(crate) fn begun(mut self) -> Self {
        self.0.retain(|_, seq| *seq > 0);
        self
    }

    /// The logs that are named, with the places in them.
    pub(crate) fn places(&self) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().map(|(log_id, seq)| (*log_id, *seq))
    }
}

impl fmt::Display for LogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("0");
        }
        for (at, (log_id, seq)) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{log_id}:{seq}")?;
        }
        Ok(())
    }
}

impl FromStr for LogPosition {
    type Err = PositionError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "0" {
            return Ok(Self::beginning());
        }
        if text.len() > LONGEST {
            return Err(PositionError);
        }
        let mut places = BTreeMap::new();
        for part in text.split(',') {
            let (log_id, seq) = part.split_once(':').ok_or(PositionError)?;
            let (log_id, seq) = (number(log_id)?, number(seq)?);
            if log_id == 0 || places.insert(log_id, seq).is_some() {
                return Err(PositionError);
            }
        }
        Ok(Self(places))
    }
}

impl Serialize for LogPosition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn number(digits: &str) -> Result<i64, PositionError> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().ok_or(PositionError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written() {
        for text in ["0", "1:523", "1:523,4:17", "2:0"] {
            assert_eq!(text.parse::<LogPosition>().unwrap().to_string(), text);
        }
        let mut position: LogPosition = "4:17,1:523".parse().unwrap();
        assert_eq!(position.to_string(), "1:523,4:17");
        position.advance(4, 3);
        position.advance(7, 1);
        assert_eq!(position.to_string(), "1:523,4:17,7:1");
        assert_eq!((position.of(4), position.of(5)), (17, 0));
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("1:1{}", ",2:1".repeat(LONGEST));
        for text in [
            "",
            "1",
            "1:",
            ":1",
            "1:1,",
            ",1:1",
            "1:1,1:2",
            "0:1",
            "-1:1",
            "1:-1",
            "+1:1",
            "1: 1",
            "1:99999999999999999999",
            "1:1;2:1",
            "a:b",
            "\u{0661}:1",
            &long,
        ] {
            assert_eq!(text.parse::<LogPosition>(), Err(PositionError), "{text}");
        }
    }
}
