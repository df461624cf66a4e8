use std::time::Duration;

use http::HeaderMap;
use systemprompt_core::clock::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::{RetrySettings, UpstreamErrorKind, Waited};

/// The longest pause that is believed, whatever a provider says: a day.
const MOST: Duration = Duration::from_secs(86_400);

impl RetrySettings {
    /// The pause before attempt `made + 1` after an answer with this head; `None` when the answer is to
    /// be handed back.
    pub(super) fn after_answer(
        &self,
        made: usize,
        status: u16,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Duration> {
        if (200..300).contains(&status) || !self.has_attempts_left(made) {
            return None;
        }
        // The word of the provider goes before the list (as the official clients have it).
        let wanted = match text(headers, "x-should-retry") {
            Some("true") => true,
            Some("false") => false,
            _ => self.statuses.contains(&status),
        };
        if !wanted {
            return None;
        }
        match retry_after(headers, now) {
            Some(asked) if asked > self.max_retry_after => None,
            Some(asked) => Some(asked),
            None => Some(self.backoff(made)),
        }
    }

    /// The pause before attempt `made + 1` after no answer came; `None` when there is to be no other.
    pub(super) fn after_error(&self, made: usize, error: &UpstreamErrorKind) -> Option<Duration> {
        let wanted = match error {
            UpstreamErrorKind::Unreachable | UpstreamErrorKind::Timeout(Waited::Connect) => true,
            UpstreamErrorKind::Reset => self.after_reset,
            // A provider that was silent for so long is likely to be at work, and would do it twice.
            _ => false,
        };
        (wanted && self.has_attempts_left(made)).then(|| self.backoff(made))
    }

    fn has_attempts_left(&self, made: usize) -> bool {
        u32::try_from(made).is_ok_and(|made| made < self.attempts)
    }

    /// A random pause up to `base`, doubled for each attempt after the first, and never above `max`.
    fn backoff(&self, made: usize) -> Duration {
        rand::random_range(Duration::ZERO..=self.ceiling(made))
    }

    fn ceiling(&self, made: usize) -> Duration {
        let doublings = u32::try_from(made.saturating_sub(1)).unwrap_or(u32::MAX);
        let factor = 2_u32.checked_pow(doublings).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.max)
    }
}

/// When to ask again: `retry-after-ms`, or `retry-after` (RFC 9110, section 10.2.3) in seconds or as a
/// date. A date that has passed is now.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let millis = text(headers, "retry-after-ms").and_then(|text| number(text, 1_000.0));
    millis.or_else(|| {
        let text = text(headers, "retry-after")?;
        number(text, 1.0).or_else(|| {
            let at = OffsetDateTime::parse(text, &Rfc2822).ok()?;
            let left = at.unix_timestamp().saturating_mul(1_000_000) - now.as_micros();
            Some(Duration::from_micros(u64::try_from(left).unwrap_or(0)))
        })
    })
}

/// A number that is not negative, in units of which so many are a second.
fn number(text: &str, per_second: f64) -> Option<Duration> {
    let number: f64 = text.parse().ok()?;
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(number / per_second).map_or(MOST, |asked| asked.min(MOST)))
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-28T00:00:00Z".parse().unwrap()
    }

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn asked(name: &'static str, value: &str) -> Option<Duration> {
        retry_after(&headers(&[(name, value)]), now())
    }

    #[test]
    fn pauses_are_milliseconds_seconds_or_a_date() {
        assert_eq!(asked("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(asked("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("retry-after", "0.25"), Some(Duration::from_millis(250)));
        let date = asked("retry-after", "Sat, 28 Nov 2026 00:00:09 GMT");
        assert_eq!(date, Some(Duration::from_secs(9)));
        let past = asked("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(past, Some(Duration::ZERO));
        for odd in ["soon", "-1", "NaN", "inf", "", "1e999"] {
            assert_eq!(asked("retry-after", odd), None, "{odd}");
        }
        assert_eq!(asked("retry-after", "1e300"), Some(MOST));
        let both = headers(&[("retry-after", "7"), ("retry-after-ms", "20")]);
        assert_eq!(retry_after(&both, now()), Some(Duration::from_millis(20)));
        let odd = headers(&[("retry-after", "7"), ("retry-after-ms", "x")]);
        assert_eq!(retry_after(&odd, now()), Some(Duration::from_secs(7)));
    }

    #[test]
    fn statuses_and_the_providers_word_decide() {
        let settings = RetrySettings::default();
        let after = |made, status, all: &[(&'static str, &str)]| {
            settings.after_answer(made, status, &headers(all), now())
        };
        for status in [408, 409, 429, 500, 502, 503, 504, 529] {
            assert!(after(1, status, &[]).is_some(), "{status}");
            assert!(after(3, status, &[]).is_none(), "{status}");
            assert!(after(1, status, &[("x-should-retry", "false")]).is_none(), "{status}");
        }
        for status in [200, 204, 302, 400, 401, 404, 413, 501] {
            assert!(after(1, status, &[]).is_none(), "{status}");
        }
        assert!(after(1, 400, &[("x-should-retry", "true")]).is_some());
        assert!(after(1, 200, &[("x-should-retry", "true")]).is_none());
        assert_eq!(after(1, 429, &[("retry-after", "60")]), Some(Duration::from_secs(60)));
        assert_eq!(after(1, 429, &[("retry-after", "61")]), None, "too long to wait for");
    }

    #[test]
    fn errors_are_retried_when_no_answer_can_be_under_way() {
        let settings = RetrySettings::default();
        assert!(settings.after_error(1, &UpstreamErrorKind::Unreachable).is_some());
        assert!(settings.after_error(1, &UpstreamErrorKind::Timeout(Waited::Connect)).is_some());
        assert!(settings.after_error(2, &UpstreamErrorKind::Reset).is_some());
        let careful = RetrySettings { after_reset: false, ..RetrySettings::default() };
        assert!(careful.after_error(1, &UpstreamErrorKind::Reset).is_none());
        for error in [
            UpstreamErrorKind::Timeout(Waited::FirstByte),
            UpstreamErrorKind::Timeout(Waited::Total),
            UpstreamErrorKind::Tls,
            UpstreamErrorKind::BlockedAddress,
            UpstreamErrorKind::Protocol,
        ] {
            assert!(settings.after_error(1, &error).is_none(), "{error:?}");
        }
    }

    #[test]
    fn backoff_doubles_up_to_its_cap() {
        let settings = RetrySettings::default();
        let ceilings: Vec<_> = (1..=6).map(|made| settings.ceiling(made).as_millis()).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 8000]);
    }

    proptest! {
        #[test]
        fn backoff_never_passes_its_ceiling(
            made in 0_usize..100_000, base in any::<u64>(), max in any::<u64>(),
        ) {
            let settings = RetrySettings {
                base: Duration::from_millis(base),
                max: Duration::from_millis(max),
                ..RetrySettings::default()
            };
            prop_assert!(settings.backoff(made) <= Duration::from_millis(max));
        }

        #[test]
        fn no_header_makes_it_fail(text in "\\PC{0,40}") {
            if let Ok(value) = http::HeaderValue::from_str(&text) {
                let mut headers = HeaderMap::new();
                headers.insert("retry-after", value.clone());
                headers.insert("retry-after-ms", value);
                let asked = retry_after(&headers, now());
                prop_assert!(asked.is_none_or(|asked| asked <= MOST || text.contains(':')));
            }
        }
    }
}
