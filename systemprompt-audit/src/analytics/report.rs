use std::collections::HashMap;

use serde::Serialize;
use systemprompt_core::clock::Timestamp;

use super::period::{self, Step};
use super::source::Group;
use super::{Dimension, Figures, Subject};
use crate::QueryError;

/// Most steps of a trend; of a longer one the last are shown.
const MOST_STEPS: i64 = 120;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageQuery {
    /// What sums are taken over.
    pub subject: Subject,
    /// What they are grouped by; nothing gives one row.
    pub by: Vec<Dimension>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// Most rows; the total counts all of them.
    pub limit: usize,
}

impl UsageQuery {
    /// Everything there is about `subject`, grouped as is usual for it, up to 1,000 rows.
    #[must_use]
    pub fn new(subject: Subject) -> Self {
        Self { subject, by: subject.default_by(), from: None, to: None, limit: 1_000 }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageReport {
    /// What sums are taken over.
    pub subject: Subject,
    /// What they are grouped by.
    pub by: Vec<Dimension>,
    /// Not before this instant.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
    /// The groups: in the order of time when the first thing they are grouped by is one, else the
    /// largest first.
    pub rows: Vec<UsageRow>,
    /// Whether there are more groups than rows.
    pub truncated: bool,
    /// All groups together.
    pub total: Figures,
    /// What the trends go over.
    pub trend: Trend,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageRow {
    /// The value of each thing that is grouped by, in that order; `None` where there is none.
    pub key: Vec<Option<String>>,
    /// Its sums.
    #[serde(flatten)]
    pub figures: Figures,
    /// The main figure in each step: microdollars of [`Subject::Costs`], requests of
    /// [`Subject::Requests`], else calls.
    pub trend: Vec<u64>,
}

/// The time that the trends of a report go over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trend {
    /// How long each step is.
    pub step: Step,
    /// The first step; `None` when there is nothing to show.
    pub first: Option<String>,
    /// The last.
    pub last: Option<String>,
    /// The main figure of all groups in each step.
    pub values: Vec<u64>,
    #[serde(skip)]
    start: i64,
}

/// Sums `groups` up.
pub(super) fn report(query: &UsageQuery, groups: Vec<Group>) -> Result<UsageReport, QueryError> {
    let mut trend = Trend::over(query, &groups);
    let mut total = Figures::default();
    let mut rows: HashMap<Vec<Option<String>>, UsageRow> = HashMap::new();
    for group in &groups {
        let key: Vec<_> = query.by.iter().map(|dimension| group.value(*dimension)).collect();
        let row = rows.entry(key.clone()).or_insert_with(|| UsageRow {
            key,
            figures: Figures::default(),
            trend: vec![0; trend.values.len()],
        });
        row.figures.add(&group.figures)?;
        total.add(&group.figures)?;
        let at = usize::try_from(trend.step.number(group.hour) - trend.start).ok();
        for values in [&mut row.trend, &mut trend.values] {
            if let Some(value) = at.and_then(|at| values.get_mut(at)) {
                let more = main_figure(query.subject, &group.figures);
                *value = value.checked_add(more).ok_or(QueryError::Overflow)?;
            }
        }
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    for figures in rows.iter_mut().map(|row| &mut row.figures).chain([&mut total]) {
        figures.finish();
    }
    let in_time = query.by.first().is_some_and(|first| first.is_time());
    rows.sort_unstable_by(|a, b| {
        let size = |row: &UsageRow| main_figure(query.subject, &row.figures);
        let larger = if in_time { std::cmp::Ordering::Equal } else { size(b).cmp(&size(a)) };
        larger.then_with(|| a.key.cmp(&b.key))
    });
    let truncated = rows.len() > query.limit;
    rows.truncate(query.limit);
    let UsageQuery { subject, by, from, to, .. } = query.clone();
    Ok(UsageReport { subject, by, from, to, rows, truncated, total, trend })
}

/// What groups are ordered by and trends are of.
fn main_figure(subject: Subject, figures: &Figures) -> u64 {
    match subject {
        Subject::Costs => u64::try_from(figures.cost_microdollars.get()).unwrap_or_default(),
        Subject::Requests => figures.requests.total,
        Subject::Tools | Subject::Agents | Subject::Overview => figures.calls.total(),
    }
}

impl Trend {
    fn over(query: &UsageQuery, groups: &[Group]) -> Self {
        let hour = |at: Timestamp| at.as_micros().div_euclid(3_600_000_000);
        let first = groups.iter().map(|group| group.hour).min();
        let last = groups.iter().map(|group| group.hour).max();
        let (Some(mut first), Some(mut last)) = (first, last) else {
            return Self {
                step: Step::Hour,
                first: None,
                last: None,
                values: Vec::new(),
                start: 0,
            };
        };
        // A time that was asked for is shown whole, as far as it is not out of all proportion.
        let year = 366 * 24;
        if let Some(from) = query.from {
            first = hour(from).clamp(first - year, first);
        }
        if let Some(to) = query.to {
            last = hour(Timestamp::from_micros(to.as_micros() - 1)).clamp(last, last + year);
        }
        let step = Step::of(last - first + 1);
        let (start, end) = (step.number(first), step.number(last));
        let start = start.max(end - MOST_STEPS + 1);
        let steps = usize::try_from(end - start + 1).unwrap_or_default();
        let (first, last) = (Some(step.name(start)), Some(step.name(end)));
        Self { step, first, last, values: vec![0; steps], start }
    }
}

impl Group {
    fn value(&self, dimension: Dimension) -> Option<String> {
        match dimension {
            Dimension::Provider => self.provider.clone(),
            Dimension::Model => self.model.clone(),
            Dimension::Agent => self.agent.clone(),
            Dimension::User => self.user.clone(),
            Dimension::Department => self.department.clone(),
            Dimension::Tool => self.tool.clone(),
            Dimension::Tenant => self.tenant.clone(),
            Dimension::Reason => self.reason.clone(),
            Dimension::Hour | Dimension::Day | Dimension::Month => {
                Some(period::name(dimension, self.hour))
            }
        }
    }
}
