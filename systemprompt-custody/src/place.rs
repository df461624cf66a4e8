use std::fmt;
use std::net::Ipv6Addr;

use http::HeaderName;
use systemprompt_core::contract::Sink;
use systemprompt_core::id::ToolName;

use crate::inject::sink_rule;

/// Where a granted secret is put: a [`Sink`] that is known to be well-formed, in the spelling that uses are
/// held against. A host and a header have lower case, a host has its port unless that is the one of the
/// scheme, a variable is as it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A header of requests to one host.
    Header {
        /// The host, with the port when it is not the one of the scheme.
        host: String,
        /// The name of the header.
        header: String,
    },
    /// A variable in the environment of a child process.
    Env {
        /// The name of the variable.
        variable: String,
    },
    /// An argument of a tool.
    Argument {
        /// The tool's own name.
        tool: String,
        /// Where in the arguments, as a JSON Pointer (RFC 6901).
        argument: String,
    },
}

/// Why a secret cannot be granted for a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// Not a host.
    #[error("`{0}` is not a host such as `api.example.com` or `api.example.com:8443`")]
    Host(String),
    /// A port that is left away.
    #[error("`{0}`: leave the ports 80 and 443 away, they go without saying")]
    Port(String),
    /// Not the name of a header.
    #[error("`{0}` is not the name of a header")]
    Header(String),
    /// Not the name of a variable.
    #[error("`{0}` is not the name of a variable: `A-Z a-z 0-9 _`, and no digit first")]
    Variable(String),
    /// Not the name of a tool.
    #[error("`{0}` is not the name of a tool")]
    Tool(String),
    /// Where injection never puts anything.
    #[error("a secret cannot be granted there: the {place} {why}")]
    NotInjectable {
        /// The place, with its kind.
        place: String,
        /// What is the matter with it.
        why: &'static str,
    },
    /// Not a place in arguments.
    #[error("`{0}` is not a JSON Pointer such as `/headers/token`")]
    Argument(String),
}

/// Most bytes of each name.
const MOST_BYTES: usize = 255;

impl Place {
    /// A header of requests to `host`.
    ///
    /// # Errors
    /// [`PlaceError`] when one of them is none.
    pub fn header(host: &str, header: &str) -> Result<Self, PlaceError> {
        let host = host.to_ascii_lowercase();
        if !is_host(&host) {
            return Err(PlaceError::Host(shown(&host)));
        }
        let host = with_short_address(host);
        if [":80", ":443"].iter().any(|port| host.ends_with(port)) && !is_bare_ipv6(&host) {
            return Err(PlaceError::Port(shown(&host)));
        }
        let header = header.to_ascii_lowercase();
        // RFC 9110 section 5.6.2.
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !(1..=MOST_BYTES).contains(&header.len()) || !header.bytes().all(token) {
            return Err(PlaceError::Header(shown(&header)));
        }
        Ok(Self::Header { host, header })
    }

    /// A variable in the environment of a child process.
    ///
    /// # Errors
    /// [`PlaceError`] when it is none.
    pub fn env(variable: &str) -> Result<Self, PlaceError> {
        let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let fine = (1..=MOST_BYTES).contains(&variable.len())
            && variable.bytes().all(named)
            && !variable.starts_with(|first: char| first.is_ascii_digit());
        match fine {
            true => Ok(Self::Env { variable: variable.to_owned() }),
            false => Err(PlaceError::Variable(shown(variable))),
        }
    }

    /// An argument of `tool`, by its JSON Pointer (RFC 6901).
    ///
    /// # Errors
    /// [`PlaceError`] when one of them is none.
    pub fn argument(tool: &str, argument: &str) -> Result<Self, PlaceError> {
        if ToolName::parse(tool).is_err() {
            return Err(PlaceError::Tool(shown(tool)));
        }
        // `~` is written `~0`, `/` is written `~1`; nothing else follows a `~`.
        let escaped = argument.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        let control = argument.contains(char::is_control);
        if !argument.starts_with('/') || argument.len() > MOST_BYTES || !escaped || control {
            return Err(PlaceError::Argument(shown(argument)));
        }
        Ok(Self::Argument { tool: tool.to_owned(), argument: argument.to_owned() })
    }

    /// Whether a secret may be injected there at all, by the rules that injection goes by.
    ///
    /// # Errors
    /// [`PlaceError::NotInjectable`] for a header that says how messages are sent, and for a variable that
    /// changes what code programs run.
    pub fn check_injectable(&self) -> Result<(), PlaceError> {
        let why = match self {
            Self::Header { header, .. } => match HeaderName::from_bytes(header.as_bytes()) {
                Ok(name) => sink_rule::header(&name),
                Err(_) => return Err(PlaceError::Header(shown(header))),
            },
            Self::Env { variable } => sink_rule::variable(variable),
            Self::Argument { .. } => None,
        };
        why.map_or(Ok(()), |why| {
            let place = match self {
                Self::Header { header, .. } => format!("header `{}`", shown(header)),
                other => other.to_string(),
            };
            Err(PlaceError::NotInjectable { place, why })
        })
    }

    /// The place as the contract names it.
    #[must_use]
    pub fn sink(&self) -> Sink<'_> {
        match self {
            Self::Header { host, header } => Sink::Header { host, header },
            Self::Env { variable } => Sink::Env { variable },
            Self::Argument { tool, argument } => Sink::Argument { tool, argument },
        }
    }

    /// What `sink` is held against; not looked at any closer, since what is not well-formed is not granted.
    pub(crate) fn of(sink: Sink<'_>) -> Self {
        match sink {
            Sink::Header { host, header } => Self::Header {
                host: host.to_ascii_lowercase(),
                header: header.to_ascii_lowercase(),
            },
            Sink::Env { variable } => Self::Env { variable: variable.to_owned() },
            Sink::Argument { tool, argument } => {
                Self::Argument { tool: tool.to_owned(), argument: argument.to_owned() }
            }
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sink().fmt(f)
    }
}

fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        // An address of version 6.
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) if address.parse::<Ipv6Addr>().is_ok() => {
                ("ipv6", port.strip_prefix(':').or((!port.is_empty()).then_some("")))
            }
            _ => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.len() <= MOST_BYTES
        && host.split('.').all(label)
        && port.is_none_or(|port| {
            port.bytes().all(|b| b.is_ascii_digit())
                && !port.starts_with('0')
                && port.parse::<u16>().is_ok()
        })
}

/// An address of version 6 in the one spelling that URLs give it (RFC 5952).
fn with_short_address(host: String) -> String {
    let parts = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match parts.and_then(|(address, port)| Some((address.parse::<Ipv6Addr>().ok()?, port))) {
        Some((address, port)) => format!("[{address}]{port}"),
        None => host,
    }
}

/// Whether what looks like a port is the end of an address.
fn is_bare_ipv6(text: &str) -> bool {
    text.starts_with('[') && text.ends_with(']')
}

/// As much of a text as an error repeats.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests;
