//! Calls as a person reads them: a head for each, and under it the five points, one after the other.

mod words;

use serde_json::Value;
use systemprompt_audit::TracedCall;
use systemprompt_core::clock::Timestamp;

use self::words::{field, missing};
use crate::output::plain;
use crate::paper::{Ink, Paper, wrapped};

/// Columns of a point's name, with what leads to it.
const NAME: usize = 20;

/// Draws `calls`, in their order, under a title.
pub(crate) fn draw(title: &str, calls: &[TracedCall], now: Timestamp, paper: Paper) -> String {
    let count = match calls.len() {
        1 => "1 call".to_owned(),
        count => format!("{count} calls"),
    };
    let mut text = format!("{}   {count}\n", paper.paint(Ink::Bold, &plain(title)));
    for call in calls {
        text.push('\n');
        head(&mut text, call, paper);
        points(&mut text, call, now, paper);
    }
    text
}

fn head(text: &mut String, call: &TracedCall, paper: Paper) {
    let permissions = call.points.permissions.as_ref();
    let decision = field(permissions, "decision").unwrap_or_default();
    let (ink, verdict) = match decision.as_str() {
        "allow" => (Ink::Green, "ALLOWED"),
        "deny" => (Ink::Red, "DENIED"),
        _ => (Ink::Yellow, "PENDING"),
    };
    let tool = field(permissions, "tool").unwrap_or_else(|| "no tool".to_owned());
    let tool = match field(permissions, "server") {
        Some(server) => format!("mcp__{server}__{tool}"),
        None => tool,
    };
    let at = moment(call.decided_at);
    text.push_str(&format!(
        "{at}   {}   {}\n",
        paper.paint(ink, verdict),
        paper.paint(Ink::Bold, &tool)
    ));
}

fn points(text: &mut String, call: &TracedCall, now: Timestamp, paper: Paper) {
    let points = &call.points;
    let permissions = points.permissions.as_ref();
    let nothing = missing(permissions, now);
    let shown = [
        ("Identity", points.identity.as_ref().map(words::identity), "no event says who"),
        ("Agent context", points.agent_context.as_ref().map(words::agent), "no event says where"),
        ("Permissions", permissions.map(words::permissions), "no event says why"),
        ("Tool execution", points.tool_execution.as_ref().map(words::execution), nothing.as_str()),
        ("Result", points.result.as_ref().map(words::result), nothing.as_str()),
    ];
    let last = shown.len() - 1;
    for (at, (name, lines, nothing)) in shown.into_iter().enumerate() {
        let (branch, trunk) = if at == last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let inner = paper.width.saturating_sub(NAME).max(16);
        let (ink, lines) = match lines {
            Some(lines) => (Ink::Bold, lines),
            None => (Ink::Yellow, vec![vec![nothing.to_owned()]]),
        };
        let lines = lines.iter().flat_map(|words| wrapped(words, inner));
        for (row, line) in lines.enumerate() {
            let label = if row == 0 { name } else { "" };
            let lead = if row == 0 { branch } else { trunk };
            let label = format!("{label:<width$}", width = NAME - 3);
            text.push_str(&format!("{lead}{}{line}", paper.paint(ink, &label)));
            text.push('\n');
        }
    }
}

/// An instant to the millisecond.
fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    let (date, clock) = text.split_once('T').unwrap_or_default();
    format!("{date} {}Z", clock.get(..12).unwrap_or(clock))
}

/// The members of an array.
fn items<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests;
