//! Filters by the names of their members, as they come over HTTP and the command line.

use systemprompt_core::call::ToolRef;
use systemprompt_core::clock::Timestamp;
use systemprompt_core::event::Verdict;

use super::{EventFilter, parse_instant};

/// Shortest text that is searched for, in bytes; shorter ones are in nearly everything.
const SHORTEST_TEXT: usize = 2;

/// What an instant is, for whoever gave something else.
pub(crate) const INSTANT: &str = "an RFC 3339 instant or a time before now such as `2h`";

/// Why a member of a filter was not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// There is none of this name.
    #[error("there is no such filter")]
    Unknown,
    /// It takes another value.
    #[error("not {expected}")]
    Value {
        /// What it takes.
        expected: &'static str,
    },
}

impl EventFilter {
    /// Sets the member `name` from its text: a member's own name, `user`, `agent` or `session` for that
    /// with `_id`, `q` for the text, and `<name>_min` and `<name>_max` for the ends of a range. A time
    /// may be one before `now`, as for [`parse_instant`].
    ///
    /// # Errors
    /// [`FilterError`] when there is no such member, or it takes another value.
    pub fn set(&mut self, name: &str, value: &str, now: Timestamp) -> Result<(), FilterError> {
        let bad = |expected| FilterError::Value { expected };
        match name {
            "kind" => self.kind = Some(value.parse().map_err(|_| bad("a kind of event"))?),
            "id" => self.id = Some(value.parse().map_err(|_| bad("an event id"))?),
            "permit_id" => {
                self.permit_id = Some(value.parse().map_err(|_| bad("a permit id"))?);
            }
            "trace_id" => {
                let trace = value.parse().map_err(|_| bad("32 lower-case hex digits"))?;
                self.trace_id = Some(trace);
            }
            "from" => self.from = Some(parse_instant(value, now).map_err(|_| bad(INSTANT))?),
            "to" => self.to = Some(parse_instant(value, now).map_err(|_| bad(INSTANT))?),
            "decision" => {
                let verdict = verdict(value).ok_or_else(|| bad("`allow`, `deny` or `pending`"))?;
                self.decision = Some(verdict);
            }
            "q" if value.len() < SHORTEST_TEXT => return Err(bad("a text of at least two bytes")),
            "q" => self.text = Some(value.to_owned()),
            _ => return self.set_column(name, value),
        }
        Ok(())
    }

    /// Takes a qualified tool name, `mcp__server__tool`, for the tool and its server.
    pub fn split_tool(&mut self) {
        let tool = self.tool.as_deref().filter(|tool| tool.starts_with("mcp__"));
        let Some(Ok(tool)) = tool.map(|tool| ToolRef::parse(self.server.as_deref(), tool)) else {
            return;
        };
        self.server = tool.server().map(|server| server.as_str().to_owned());
        self.tool = Some(tool.name().as_str().to_owned());
    }

    fn set_column(&mut self, name: &str, value: &str) -> Result<(), FilterError> {
        let bad = |expected| FilterError::Value { expected };
        let column = match name {
            "user" => "user_id",
            "agent" => "agent_id",
            "session" => "session_id",
            name => name,
        };
        if let Some((_, text)) = self.texts_mut().into_iter().find(|(it, _)| *it == column) {
            *text = Some(value.to_owned());
            return Ok(());
        }
        if let Some((_, digest)) = self.digests_mut().into_iter().find(|(it, _)| *it == column) {
            *digest = Some(value.parse().map_err(|_| bad("64 hex digits"))?);
            return Ok(());
        }
        let (column, end) = column.rsplit_once('_').ok_or(FilterError::Unknown)?;
        let range = self.numbers_mut().into_iter().find(|(it, _)| *it == column);
        let (_, range) = range.ok_or(FilterError::Unknown)?;
        let end = match end {
            "min" => &mut range.min,
            "max" => &mut range.max,
            _ => return Err(FilterError::Unknown),
        };
        *end = Some(value.parse().map_err(|_| bad("a whole number"))?);
        Ok(())
    }
}

fn verdict(name: &str) -> Option<Verdict> {
    [Verdict::Allow, Verdict::Deny, Verdict::Pending].into_iter().find(|it| it.as_str() == name)
}
