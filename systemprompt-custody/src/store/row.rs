use systemprompt_core::contract::Sink;

use crate::seal::{ALG, Sealed};

/// What a use finds: the secret, the version that is meant, and whether a grant covers the use.
pub(crate) struct UseRow {
    pub(crate) revoked_at: Option<i64>,
    pub(crate) granted: bool,
    pub(crate) version: Option<i64>,
    pub(crate) alg: Option<String>,
    pub(crate) wrapped_dek: Option<String>,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) ciphertext: Option<Vec<u8>>,
}

impl UseRow {
    /// The version that is meant, and what is encrypted of it unless the row was changed; `None` when there is
    /// no such version, or it was retired.
    pub(crate) fn sealed(self) -> Option<(u32, Option<Sealed>)> {
        let version = u32::try_from(self.version?).ok()?;
        let sealed = match (self.alg.as_deref(), self.wrapped_dek, self.nonce, self.ciphertext) {
            (Some(ALG), Some(wrapped_dek), Some(nonce), Some(ciphertext)) => {
                Some(Sealed { wrapped_dek, nonce, ciphertext })
            }
            _ => None,
        };
        Some((version, sealed))
    }
}

/// Of which secret, for which server, and where: what a grant is found by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GrantKey<'g> {
    pub(crate) tenant: &'g str,
    pub(crate) name: &'g str,
    pub(crate) server: &'g str,
    pub(crate) sink: &'static str,
    /// The host or the tool.
    pub(crate) target: Option<&'g str>,
    /// The header, the variable or the argument.
    pub(crate) field: &'g str,
}

impl<'g> GrantKey<'g> {
    pub(crate) fn new(tenant: &'g str, name: &'g str, server: &'g str, sink: Sink<'g>) -> Self {
        let (sink, target, field) = match sink {
            Sink::Header { host, header } => ("header", Some(host), header),
            Sink::Env { variable } => ("env", None, variable),
            Sink::Argument { tool, argument } => ("argument", Some(tool), argument),
        };
        Self { tenant, name, server, sink, target, field }
    }
}

/// A grant to be made.
pub(crate) struct NewGrantRow<'g> {
    pub(crate) id: &'g str,
    pub(crate) key: GrantKey<'g>,
    pub(crate) now: i64,
    pub(crate) by: &'g str,
}

/// A version to be added.
pub(crate) struct NewVersionRow<'v> {
    pub(crate) tenant: &'v str,
    pub(crate) name: &'v str,
    pub(crate) version: i64,
    pub(crate) alg: &'v str,
    pub(crate) wrapped_dek: &'v str,
    pub(crate) nonce: &'v [u8],
    pub(crate) ciphertext: &'v [u8],
    pub(crate) now: i64,
    pub(crate) by: &'v str,
}

/// A secret as it is listed.
pub(crate) struct SecretRow {
    pub(crate) tenant_id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) revoked_at: Option<i64>,
}

/// A version as it is listed.
pub(crate) struct VersionRow {
    pub(crate) tenant_id: String,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) retired_at: Option<i64>,
}

/// A grant as it is listed.
pub(crate) struct GrantRow {
    pub(crate) tenant_id: String,
    pub(crate) name: String,
    pub(crate) server: String,
    pub(crate) sink: String,
    pub(crate) target: Option<String>,
    pub(crate) field: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
}

/// A version with its data key.
pub(crate) struct WrappedRow {
    pub(crate) tenant_id: String,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) wrapped_dek: String,
}
