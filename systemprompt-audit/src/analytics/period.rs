//! Hours, days and months in UTC.

use serde::Serialize;
use time::OffsetDateTime;

use super::Dimension;

/// What a trend goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
}

impl Step {
    /// The step in which a time of so many hours is easily seen.
    pub(super) fn of(hours: i64) -> Self {
        match hours {
            ..=48 => Self::Hour,
            49..=1_488 => Self::Day,
            _ => Self::Month,
        }
    }

    /// The number of the step that an hour since 1970 is in; they follow each other without a gap.
    pub(super) fn number(self, hour: i64) -> i64 {
        match self {
            Self::Hour => hour,
            Self::Day => hour.div_euclid(24),
            Self::Month => date(hour).map_or(0, |date| {
                i64::from(date.year()) * 12 + i64::from(u8::from(date.month())) - 1
            }),
        }
    }

    /// The name of a step.
    pub(super) fn name(self, number: i64) -> String {
        match self {
            Self::Hour => name(Dimension::Hour, number),
            Self::Day => name(Dimension::Day, number.saturating_mul(24)),
            Self::Month => month(number.div_euclid(12), number.rem_euclid(12) + 1),
        }
    }
}

/// The name of the `dimension`, a time, that an hour since 1970 is in.
pub(super) fn name(dimension: Dimension, hour: i64) -> String {
    let Some(date) = date(hour) else { return String::new() };
    let (year, month_number, day) = (date.year(), u8::from(date.month()), date.day());
    match dimension {
        Dimension::Month => month(i64::from(year), i64::from(month_number)),
        Dimension::Hour => format!("{year:04}-{month_number:02}-{day:02}T{:02}:00Z", date.hour()),
        _ => format!("{year:04}-{month_number:02}-{day:02}"),
    }
}

fn month(year: i64, month: i64) -> String {
    format!("{year:04}-{month:02}")
}

fn date(hour: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(hour.checked_mul(3_600)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_have_days_and_months() {
        // 2024-02-29T23:00Z
        let hour = 474_791;
        assert_eq!(name(Dimension::Hour, hour), "2024-02-29T23:00Z");
        assert_eq!(name(Dimension::Day, hour), "2024-02-29");
        assert_eq!(name(Dimension::Month, hour), "2024-02");
        for step in [Step::Hour, Step::Day, Step::Month] {
            let number = step.number(hour);
            assert_eq!(step.number(hour + 1), number + 1, "{step:?}");
        }
        assert_eq!(Step::Month.name(Step::Month.number(hour + 1)), "2024-03");
        assert_eq!(Step::Day.name(Step::Day.number(hour)), "2024-02-29");
        assert_eq!(name(Dimension::Day, -1), "1969-12-31");
    }
}
