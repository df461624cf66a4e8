//! A report for people.

use std::fmt::Write as _;

use systemprompt_governance::replay::{Counted, Direction, ReplayReport};

use super::decisions::Span;
use crate::output::{clipped, plain};

/// Most lines of a group; whoever needs all of them asks for JSON.
const MOST_LINES: usize = 20;

/// A whole report.
pub(super) fn draw(title: &str, report: &ReplayReport, span: Span) -> String {
    let ReplayReport { decisions, unchanged, other_grounds, undecided, .. } = report;
    let until = span.to.map(|to| format!(" until {to}")).unwrap_or_default();
    let mut text = format!("{title} {decisions} decisions since {}{until}\n\n", span.from);
    // Writing to a text does not fail.
    let _ = writeln!(text, "{unchanged:>9}  stay as they are");
    if *other_grounds > 0 {
        let _ = writeln!(text, "{other_grounds:>9}  of them are denied on other grounds");
    }
    for direction in [Direction::AllowToDeny, Direction::DenyToAllow] {
        let _ = writeln!(text, "{:>9}  {}", report.changes(direction).total, words(direction));
    }
    let _ = writeln!(text, "{:>9}  cannot be decided again", undecided.total);
    text + &changes(report) + &group("cannot be decided again, because", &undecided.by_reason)
}

/// What changes alone.
pub(super) fn draw_changes(title: &str, report: &ReplayReport) -> String {
    let mut text = format!("{title}\n\n");
    for direction in [Direction::AllowToDeny, Direction::DenyToAllow] {
        let _ = writeln!(text, "{:>9}  {}", report.changes(direction).total, words(direction));
    }
    text + &changes(report) + "\n"
}

fn changes(report: &ReplayReport) -> String {
    let mut text = String::new();
    for direction in [Direction::AllowToDeny, Direction::DenyToAllow] {
        let changes = report.changes(direction);
        let way = words(direction);
        text += &group(&format!("{way}, by rule"), &changes.by_rule);
        text += &group(&format!("{way}, by tool"), &changes.by_tool);
        text += &group(&format!("{way}, by user"), &changes.by_user);
        if !changes.examples.is_empty() {
            let examples = changes.examples.iter().map(ToString::to_string);
            let examples = examples.collect::<Vec<_>>().join("\n           ");
            let _ = write!(text, "\n{way}, for example\n           {examples}\n");
        }
    }
    text
}

fn words(direction: Direction) -> &'static str {
    match direction {
        Direction::AllowToDeny => "allowed -> denied",
        Direction::DenyToAllow => "denied -> allowed",
    }
}

fn group(title: &str, counted: &Counted) -> String {
    let counts = counted.most_frequent();
    if counts.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{title}\n");
    for (name, count) in counts.iter().take(MOST_LINES) {
        let _ = writeln!(text, "{count:>9}  {}", clipped(&plain(name)));
    }
    if counts.len() > MOST_LINES {
        let _ = writeln!(text, "           and {} more; --json has all", counts.len() - MOST_LINES);
    }
    text
}
