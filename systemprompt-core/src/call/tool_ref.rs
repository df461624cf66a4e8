use std::fmt;
use std::sync::Arc;

use super::MalformedCall;
use crate::id::{ServerName, ToolName};

/// What a qualified name begins with.
const PREFIX: &str = "mcp__";

/// A tool: its name and the server that offers it, if any.
///
/// `mcp__<server>__<tool>` is split at the first `__` after the prefix; the qualified form is kept so
/// that rules written either way match.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ToolRef {
    server: Option<ServerName>,
    name: ToolName,
    qualified: Arc<str>,
}

impl ToolRef {
    /// Parses a tool name with an optional server beside it.
    ///
    /// # Errors
    /// [`MalformedCall`] when a name has a character that is not allowed, a part of the qualified form
    /// is empty, ambiguous or qualified itself, its prefix is spelt in another case, or the name is
    /// qualified with another server than `server`.
    pub fn parse(server: Option<&str>, tool: &str) -> Result<Self, MalformedCall> {
        let field = |field| move |source| MalformedCall::Field { field, source };
        let whole = ToolName::parse(tool).map_err(field("tool"))?;
        let server = server.map(ServerName::parse).transpose().map_err(field("server"))?;
        let Some(rest) = tool.strip_prefix(PREFIX) else {
            // Another spelling of the prefix would hide the server from rules that name it.
            if has_prefix(tool) {
                return Err(MalformedCall::QualifiedName { problem: "must begin with `mcp__`" });
            }
            return Ok(Self::of(server, whole));
        };
        let Some((inner, name)) =
            rest.split_once("__").filter(|(s, t)| !s.is_empty() && !t.is_empty())
        else {
            return Err(MalformedCall::QualifiedName { problem: "has an empty server or tool" });
        };
        if has_prefix(name) {
            return Err(MalformedCall::QualifiedName { problem: "is qualified twice" });
        }
        if name.starts_with('_') {
            return Err(MalformedCall::QualifiedName { problem: "has three `_` in a row" });
        }
        let inner = ServerName::parse(inner).map_err(field("tool"))?;
        if server.is_some_and(|server| server != inner) {
            return Err(MalformedCall::QualifiedName {
                problem: "names another server than `server`",
            });
        }
        let name = ToolName::parse(name).map_err(field("tool"))?;
        Ok(Self { server: Some(inner), name, qualified: tool.into() })
    }

    /// The reserved `prompt:submit`, which stands for a prompt; see [`CallKind::Prompt`](super::CallKind).
    #[must_use]
    pub fn prompt() -> Self {
        Self::of(None, ToolName::prompt())
    }

    fn of(server: Option<ServerName>, name: ToolName) -> Self {
        let qualified = match &server {
            Some(server) => format!("mcp__{server}__{name}").into(),
            None => Arc::from(name.as_str()),
        };
        Self { server, name, qualified }
    }

    /// The server, if any.
    #[must_use]
    pub fn server(&self) -> Option<&ServerName> {
        self.server.as_ref()
    }

    /// The tool's own name, without the server.
    #[must_use]
    pub fn name(&self) -> &ToolName {
        &self.name
    }

    /// `mcp__<server>__<tool>`, or the bare name of a tool without a server.
    #[must_use]
    pub fn qualified(&self) -> &str {
        &self.qualified
    }
}

/// Whether `name` begins with the prefix of qualified names, in any spelling.
fn has_prefix(name: &str) -> bool {
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

impl fmt::Display for ToolRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.qualified)
    }
}

impl fmt::Debug for ToolRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToolRef({:?})", self.qualified)
    }
}
