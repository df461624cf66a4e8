use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BoundHost, HttpSettings, NamedSecret, ProcessLimits};
use crate::id::{ServerName, ToolName};

/// What is injected where, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct InjectionSettings {
    /// Which secret goes where.
    pub bindings: Vec<Binding>,
    /// What else goes to the servers, and text with secrets in it.
    pub servers: Vec<Declaration>,
    /// How requests with secrets are sent.
    pub http: HttpSettings,
    /// How much programs with secrets may take.
    pub process: ProcessLimits,
}

/// One secret of one server, and the one place it goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The server that gets it.
    pub server: ServerName,
    /// The secret, `name` or `name@version`.
    pub secret: NamedSecret,
    /// Where it goes.
    pub sink: BoundSink,
}

/// Where the secret of a binding goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BoundSink {
    /// A header of requests to one host.
    Header {
        /// The host.
        host: BoundHost,
        /// The header.
        name: String,
        /// The header's value, the secret standing where `{}` is.
        #[serde(default = "whole")]
        template: String,
    },
    /// A variable of the server's process.
    Env {
        /// The variable.
        variable: String,
        /// The variable's value, the secret standing where `{}` is.
        #[serde(default = "whole")]
        template: String,
    },
    /// An argument in which the caller may write `secret://name`.
    Argument {
        /// The tool, by its own name.
        tool: ToolName,
        /// The argument: a name, or a JSON Pointer (RFC 6901) when it begins with `/`.
        argument: String,
    },
}

fn whole() -> String {
    "{}".to_owned()
}

/// Headers and variables of one server, in full. `secret://name` and `secret://name@version` in a value
/// stand for secrets, as bindings would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The server.
    pub server: ServerName,
    /// Headers of requests that are made for it.
    #[serde(default)]
    pub headers: Vec<DeclaredHeader>,
    /// Variables of its process, which gets no others.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
}

/// A header of requests to one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "config", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeclaredHeader {
    /// The host.
    pub host: BoundHost,
    /// The header.
    pub name: String,
    /// Its value.
    pub value: String,
}
