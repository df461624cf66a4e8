use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use systemprompt_core::id::{ServerName, ToolName};

use super::{BoundHost, NamedSecret, template};

/// What is injected where: a section of the configuration.
///
/// ```yaml
/// bindings:
///   - server: github
///     secret: github-token
///     sink: { header: { host: api.github.com, name: authorization, template: "Bearer {}" } }
///   - server: tickets
///     secret: tickets-token@3
///     sink: { env: { variable: TICKETS_TOKEN } }
/// servers:
///   - server: tickets
///     variables: { TICKETS_URL: "https://tickets.example.com", LANG: C.UTF-8 }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InjectionSettings {
    /// Which secret goes where.
    pub bindings: Vec<Binding>,
    /// What else goes to the servers, and text with secrets in it.
    pub servers: Vec<Declaration>,
}

/// One secret of one server, and the one place it goes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    template::WHOLE.to_owned()
}

/// Headers and variables of one server, in full. `secret://name` and `secret://name@version` in a value
/// stand for secrets, as bindings would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(deny_unknown_fields)]
pub struct DeclaredHeader {
    /// The host.
    pub host: BoundHost,
    /// The header.
    pub name: String,
    /// Its value.
    pub value: String,
}
