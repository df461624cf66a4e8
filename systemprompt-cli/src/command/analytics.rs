//! `analytics costs|tools|agents|requests|overview`.

use systemprompt_audit::analytics::{
    Analytics, Cell, Dimension, Figures, Subject, UsageQuery, UsageReport,
};
use systemprompt_audit::{ReadScope, parse_instant};
use systemprompt_core::clock::Timestamp;

use crate::args::{AnalyticsArgs, FormatArg, SubjectArg};
use crate::failure::Failure;
use crate::output::{Output, plain};
use crate::session::Session;
use crate::sparkline::sparkline;

/// Rows of each part of the overview.
const TOP: usize = 5;

pub(crate) async fn run(
    args: &AnalyticsArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let analytics = Analytics::new(session.reader()?);
    let scope = match &args.tenant {
        Some(tenant) => ReadScope::Tenant(
            tenant.parse().map_err(|error| Failure::usage(format!("--tenant: {error}")))?,
        ),
        None => ReadScope::All,
    };
    let query = query(args, session.clock.now())?;
    let report = analytics.usage(&scope, &query).await.map_err(Failure::database)?;
    let format =
        args.format.unwrap_or(if output.is_json() { FormatArg::Json } else { FormatArg::Table });
    match format {
        FormatArg::Json => output.value(&report),
        FormatArg::Csv => output.text(&report.to_csv()),
        FormatArg::Table if query.subject == Subject::Overview && args.by.is_none() => {
            summary(&report, output)?;
            for (subject, by) in [
                (Subject::Tools, Dimension::Tool),
                (Subject::Agents, Dimension::Agent),
                (Subject::Costs, Dimension::Model),
            ] {
                let part = UsageQuery { subject, by: vec![by], limit: TOP, ..query.clone() };
                let part = analytics.usage(&scope, &part).await.map_err(Failure::database)?;
                if !part.rows.is_empty() {
                    output.text("\n")?;
                    table(&part, output)?;
                }
            }
            Ok(())
        }
        FormatArg::Table => table(&report, output),
    }
}

fn query(args: &AnalyticsArgs, now: Timestamp) -> Result<UsageQuery, Failure> {
    let instant = |option: &str, text: &str| {
        parse_instant(text, now).map_err(|error| Failure::usage(format!("{option}: {error}")))
    };
    let mut query = UsageQuery::new(match args.subject {
        SubjectArg::Costs => Subject::Costs,
        SubjectArg::Tools => Subject::Tools,
        SubjectArg::Agents => Subject::Agents,
        SubjectArg::Requests => Subject::Requests,
        SubjectArg::Overview => Subject::Overview,
    });
    if let Some(by) = &args.by {
        let by = Dimension::list(by);
        query.by = by.map_err(|error| Failure::usage(format!("--by: {error}")))?;
    }
    query.from = Some(instant("--from", &args.from)?);
    query.to = args.to.as_deref().map(|to| instant("--to", to)).transpose()?;
    query.limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    Ok(query)
}

/// What all groups come to, one line for each part.
fn summary(report: &UsageReport, output: Output) -> Result<(), Failure> {
    let Figures { calls, outcomes, requests, denials, cost_microdollars, .. } = &report.total;
    let mut text = format!(
        "calls      {} ({} allowed, {} denied, {} pending)   {}\n",
        calls.total(),
        calls.allowed,
        calls.denied,
        calls.pending,
        sparkline(&report.trend.values)
    );
    text.push_str(&format!(
        "outcomes   {} success, {} failed, {} timeout, {} abandoned\n",
        outcomes.success, outcomes.failed, outcomes.timeout, outcomes.abandoned
    ));
    if let Some(latency) = report.total.latency {
        text.push_str(&format!(
            "latency    p50 {} ms, p95 {} ms, p99 {} ms\n",
            latency.p50_ms, latency.p95_ms, latency.p99_ms
        ));
    }
    text.push_str(&format!("requests   {} ({} failed)\n", requests.total, requests.failed));
    text.push_str(&format!("cost       {cost_microdollars}"));
    if requests.unpriced > 0 {
        text.push_str(&format!(
            ", without {} requests to models that have no price",
            requests.unpriced
        ));
    }
    text.push('\n');
    let mut denials: Vec<_> = denials.iter().collect();
    denials.sort_by_key(|(code, count)| (std::cmp::Reverse(**count), code.as_str()));
    let denials = denials.iter().map(|(code, count)| format!("{} {count}", plain(code)));
    let denials: Vec<_> = denials.collect();
    if !denials.is_empty() {
        text.push_str(&format!("denials    {}\n", denials.join(", ")));
    }
    output.text(&text)
}

fn table(report: &UsageReport, output: Output) -> Result<(), Failure> {
    let mut columns = report.columns();
    // Columns of zeros alone say nothing, and the rest fits on the screen.
    let cells: Vec<_> = report.rows.iter().map(|row| report.cells(row)).collect();
    let said: Vec<bool> = (0..columns.len())
        .map(|at| at < report.by.len() || cells.iter().any(|row| row.get(at).is_some_and(says)))
        .collect();
    let kept = |row: &[Cell]| -> Vec<String> {
        row.iter().zip(&said).filter(|(_, said)| **said).map(|(cell, _)| shown(cell)).collect()
    };
    let mut keep = said.iter();
    columns.retain(|_| keep.next().copied().unwrap_or(false));
    let columns: Vec<_> = columns
        .iter()
        .map(|column| column.strip_suffix("_microdollars").unwrap_or(column))
        .collect();
    let mut rows: Vec<_> = cells
        .iter()
        .zip(&report.rows)
        .map(|(cells, row)| {
            let mut line = kept(cells);
            line.push(sparkline(&row.trend));
            line
        })
        .collect();
    if rows.len() > 1 || report.truncated {
        let mut total = kept(&report.total_cells());
        if let Some(first) = total.first_mut().filter(|first| first.is_empty()) {
            "total".clone_into(first);
        }
        total.push(sparkline(&report.trend.values));
        rows.push(total);
    }
    let trend = [&columns[..], &["trend"]].concat();
    output.rows(&trend, &rows, Clone::clone)?;
    if report.truncated {
        output.note("there are more groups; --limit shows more of them");
    }
    Ok(())
}

fn says(cell: &Cell) -> bool {
    match cell {
        Cell::Empty => false,
        Cell::Text(_) => true,
        Cell::Number(number) => *number > 0,
        Cell::Money(amount) => amount.get() != 0,
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => plain(text),
        Cell::Number(number) => number.to_string(),
        Cell::Money(amount) => amount.to_string(),
    }
}
