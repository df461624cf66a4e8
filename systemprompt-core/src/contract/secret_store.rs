use std::fmt;

use async_trait::async_trait;

use crate::call::ToolCall;
use crate::id::{SecretName, ServerName, TenantId};
use crate::secret::Secret;

/// Where secret values are kept, and who decides which of them goes where. Object-safe.
///
/// A store hands a value out for one declared use and records that it did, or that it refused.
#[async_trait]
pub trait SecretStore: Send + Sync + 'static {
    /// The value of a secret for one use.
    ///
    /// # Errors
    /// [`SecretStoreError`] when there is no such secret, no grant covers the use, or the store cannot be
    /// asked. Nothing is handed out that could not be recorded.
    async fn open(&self, usage: SecretUse<'_>) -> Result<OpenSecret, SecretStoreError>;
}

/// What a secret is wanted for.
#[derive(Debug, Clone, Copy)]
pub struct SecretUse<'u> {
    /// Whose secret it is.
    pub tenant: &'u TenantId,
    /// Which one.
    pub name: &'u SecretName,
    /// Which version; the newest when absent.
    pub version: Option<u32>,
    /// The server that gets it.
    pub server: &'u ServerName,
    /// Where it is put.
    pub sink: Sink<'u>,
    /// The call it is opened for; absent when a server is started.
    pub call: Option<&'u ToolCall>,
}

/// Where a secret is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sink<'s> {
    /// A header of requests to one host.
    Header {
        /// The host as it is connected to, with the port when it is not the one of the scheme, in lower
        /// case.
        host: &'s str,
        /// The name of the header, in lower case.
        header: &'s str,
    },
    /// A variable in the environment of a child process.
    Env {
        /// The name of the variable.
        variable: &'s str,
    },
    /// An argument of a tool.
    Argument {
        /// The tool's own name.
        tool: &'s str,
        /// Where in the arguments, as a JSON Pointer (RFC 6901).
        argument: &'s str,
    },
}

impl fmt::Display for Sink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { host, header } => write!(f, "header `{header}` of host `{host}`"),
            Self::Env { variable } => write!(f, "variable `{variable}`"),
            Self::Argument { tool, argument } => {
                write!(f, "argument `{argument}` of tool `{tool}`")
            }
        }
    }
}

/// A secret that was handed out.
pub struct OpenSecret {
    /// Which one.
    pub name: SecretName,
    /// Which version of it.
    pub version: u32,
    /// Its value.
    pub value: Secret<String>,
}

impl fmt::Debug for OpenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenSecret")
            .field("name", &self.name)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// A secret was not handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretStoreError {
    /// No secret of that name, or no such version of it.
    #[error("there is no secret `{0}`")]
    Unknown(String),
    /// No grant covers the use.
    #[error("secret `{name}` is not granted to server `{server}` for the {sink}")]
    NotGranted {
        /// The secret.
        name: String,
        /// The server that was to get it.
        server: String,
        /// Where it was to be put.
        sink: String,
    },
    /// What covers the use is no grant of this store: it was written, changed or moved by somebody else.
    #[error(
        "the grant of secret `{name}` to server `{server}` for the {sink} was not made here, or was changed: \
         look who can write to the database, and grant it again if it is right"
    )]
    ForgedGrant {
        /// The secret.
        name: String,
        /// The server that was to get it.
        server: String,
        /// Where it was to be put.
        sink: String,
    },
    /// The value cannot be put there: a header holds no line break, say.
    #[error("secret `{name}` cannot be put into the {sink}: {why}")]
    Unfit {
        /// The secret.
        name: String,
        /// Where it was to be put.
        sink: String,
        /// Why not; says nothing else of the value.
        why: String,
    },
    /// The store, its key or its audit log could not be asked.
    #[error("the secret store is unavailable: {0}")]
    Unavailable(String),
}
