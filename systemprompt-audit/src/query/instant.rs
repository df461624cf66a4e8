use std::time::Duration;

use systemprompt_core::clock::Timestamp;

/// A text that is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "neither an RFC 3339 instant nor a time before now such as `90s`, `30m`, `2h`, `7d` or `4w`"
)]
pub struct InstantError;

/// Reads an instant: RFC 3339, or how long before `now` it is, as a number with `s`, `m`, `h`, `d` or
/// `w` behind it.
///
/// # Errors
/// [`InstantError`] for anything else.
pub fn parse_instant(text: &str, now: Timestamp) -> Result<Timestamp, InstantError> {
    let relative = text.chars().next_back().and_then(seconds).and_then(|unit| {
        let digits = text.get(..text.len() - 1)?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count: u64 = plain.then(|| digits.parse().ok()).flatten()?;
        count.checked_mul(unit)
    });
    match relative {
        Some(seconds) => Ok(now.before(Duration::from_secs(seconds))),
        None => text.parse().map_err(|_| InstantError),
    }
}

fn seconds(unit: char) -> Option<u64> {
    match unit {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        'w' => Some(604_800),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_absolute_or_before_now() {
        let now: Timestamp = "2026-11-22T20:15:00Z".parse().unwrap();
        for (text, expected) in [
            ("2h", "2026-11-22T18:15:00Z"),
            ("90s", "2026-11-22T20:13:30Z"),
            ("7d", "2026-11-15T20:15:00Z"),
            ("1w", "2026-11-15T20:15:00Z"),
            ("0m", "2026-11-22T20:15:00Z"),
            ("2026-11-22T21:00:00+01:00", "2026-11-22T20:00:00Z"),
        ] {
            assert_eq!(parse_instant(text, now).unwrap(), expected.parse().unwrap(), "{text}");
        }
        for text in
            ["", "h", "-2h", "2", "2 h", "+2h", "2y", "1.5h", "yesterday", "2h30m", "\u{ff12}h"]
        {
            assert_eq!(parse_instant(text, now), Err(InstantError), "{text}");
        }
        // Far enough back is the beginning, not a failure.
        assert!(parse_instant("99999999999999d", now).is_ok());
    }
}
