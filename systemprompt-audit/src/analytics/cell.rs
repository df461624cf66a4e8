use systemprompt_core::money::Microdollars;

use super::{Figures, Subject, UsageReport, UsageRow};

/// A field of a report as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text, which may be a caller's.
    Text(String),
    /// A number.
    Number(u64),
    /// An amount of money.
    Money(Microdollars),
}

impl UsageReport {
    /// The names of the columns: what is grouped by, then the figures of the subject.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static str> {
        let figures = cells(self.subject, &Figures::default());
        let by = self.by.iter().map(|dimension| dimension.as_str());
        by.chain(figures.into_iter().map(|(name, _)| name)).collect()
    }

    /// The fields of a row, in the order of the columns.
    #[must_use]
    pub fn cells(&self, row: &UsageRow) -> Vec<Cell> {
        let key = row.key.iter().cloned().map(|value| value.map_or(Cell::Empty, Cell::Text));
        key.chain(cells(self.subject, &row.figures).into_iter().map(|(_, cell)| cell)).collect()
    }

    /// The fields of the sum of all groups, in the order of the columns; what is grouped by is empty.
    #[must_use]
    pub fn total_cells(&self) -> Vec<Cell> {
        let key = self.by.iter().map(|_| Cell::Empty);
        key.chain(cells(self.subject, &self.total).into_iter().map(|(_, cell)| cell)).collect()
    }
}

fn cells(subject: Subject, figures: &Figures) -> Vec<(&'static str, Cell)> {
    let calls = || calls(figures);
    match subject {
        Subject::Costs => {
            [requests(figures), tokens(figures), cost(figures)].into_iter().flatten().collect()
        }
        Subject::Requests => [requests(figures), latency(figures), tokens(figures), cost(figures)]
            .into_iter()
            .flatten()
            .collect(),
        Subject::Tools => {
            [calls(), outcomes(figures), percentiles(figures)].into_iter().flatten().collect()
        }
        Subject::Agents | Subject::Overview => {
            [calls(), outcomes(figures), requests(figures), tokens(figures), cost(figures)]
                .into_iter()
                .flatten()
                .collect()
        }
    }
}

type Named = Vec<(&'static str, Cell)>;

fn calls(figures: &Figures) -> Named {
    let calls = figures.calls;
    vec![
        ("calls", Cell::Number(calls.total())),
        ("allowed", Cell::Number(calls.allowed)),
        ("denied", Cell::Number(calls.denied)),
        ("pending", Cell::Number(calls.pending)),
    ]
}

fn outcomes(figures: &Figures) -> Named {
    let outcomes = figures.outcomes;
    vec![
        ("success", Cell::Number(outcomes.success)),
        ("failed", Cell::Number(outcomes.failed)),
        ("timeout", Cell::Number(outcomes.timeout)),
        ("abandoned", Cell::Number(outcomes.abandoned)),
    ]
}

fn percentiles(figures: &Figures) -> Named {
    let cell = |number: Option<u64>| number.map_or(Cell::Empty, Cell::Number);
    let latency = figures.latency;
    vec![
        ("p50_ms", cell(latency.map(|latency| latency.p50_ms))),
        ("p95_ms", cell(latency.map(|latency| latency.p95_ms))),
        ("p99_ms", cell(latency.map(|latency| latency.p99_ms))),
        ("max_ms", cell(latency.map(|latency| latency.max_ms))),
    ]
}

fn requests(figures: &Figures) -> Named {
    let requests = figures.requests;
    vec![
        ("requests", Cell::Number(requests.total)),
        ("failed_requests", Cell::Number(requests.failed)),
    ]
}

fn latency(figures: &Figures) -> Named {
    let mean = figures.requests.mean_latency_ms();
    vec![("mean_latency_ms", mean.map_or(Cell::Empty, Cell::Number))]
}

fn tokens(figures: &Figures) -> Named {
    let requests = figures.requests;
    vec![
        ("input_tokens", Cell::Number(requests.input_tokens)),
        ("cached_input_tokens", Cell::Number(requests.cached_input_tokens)),
        ("cache_write_tokens", Cell::Number(requests.cache_write_tokens)),
        ("output_tokens", Cell::Number(requests.output_tokens)),
    ]
}

fn cost(figures: &Figures) -> Named {
    vec![
        ("unpriced", Cell::Number(figures.requests.unpriced)),
        ("cost_microdollars", Cell::Money(figures.cost_microdollars)),
    ]
}
