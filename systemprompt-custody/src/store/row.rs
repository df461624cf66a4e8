use systemprompt_core::contract::Sink;

use crate::seal::{ALG, Sealed};

/// What a use finds: the secret, the version that is meant, and the grant that covers the use.
pub(crate) struct UseRow {
    pub(crate) revoked_at: Option<i64>,
    pub(crate) grant_id: Option<String>,
    pub(crate) granted_at: Option<i64>,
    pub(crate) granted_by: Option<String>,
    /// What shows that the grant covers the version.
    pub(crate) tag: Option<Vec<u8>>,
    pub(crate) version: Option<i64>,
    pub(crate) alg: Option<String>,
    pub(crate) wrapped_dek: Option<String>,
    pub(crate) nonce: Option<Vec<u8>>,
    pub(crate) ciphertext: Option<Vec<u8>>,
}

impl UseRow {
    /// What the grant says, which was found by `key`; `None` when there is none.
    pub(crate) fn grant<'g>(&'g self, key: GrantKey<'g>) -> Option<GrantFacts<'g>> {
        Some(GrantFacts {
            id: self.grant_id.as_deref()?,
            key,
            created_at: self.granted_at?,
            created_by: self.granted_by.as_deref()?,
        })
    }

    /// The version that is meant, and what is encrypted of it unless the row was changed; `None` when there is
    /// no such version, or it was retired.
    pub(crate) fn sealed(&self) -> Option<(u32, Option<Sealed>)> {
        let version = u32::try_from(self.version?).ok()?;
        let stored = (self.wrapped_dek.clone(), self.nonce.clone(), self.ciphertext.clone());
        let sealed = match (self.alg.as_deref(), stored.0, stored.1, stored.2) {
            (Some(ALG), Some(wrapped_dek), Some(nonce), Some(ciphertext)) => {
                Some(Sealed { wrapped_dek, nonce, ciphertext })
            }
            _ => None,
        };
        Some((version, sealed))
    }
}

/// Of which secret, for which server, and where: what a grant is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GrantKey<'g> {
    pub(crate) tenant: &'g str,
    pub(crate) name: &'g str,
    pub(crate) server: &'g str,
    pub(crate) sink: &'g str,
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

/// All that a grant says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GrantFacts<'g> {
    pub(crate) id: &'g str,
    pub(crate) key: GrantKey<'g>,
    pub(crate) created_at: i64,
    pub(crate) created_by: &'g str,
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
    pub(crate) last_used_at: Option<i64>,
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

/// A grant of a secret with what shows that it covers a version.
pub(crate) struct TaggedRow {
    pub(crate) id: String,
    pub(crate) server: String,
    pub(crate) sink: String,
    pub(crate) target: Option<String>,
    pub(crate) field: String,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) tag: Option<Vec<u8>>,
}

impl TaggedRow {
    /// What the grant of the secret says.
    pub(crate) fn facts<'g>(&'g self, (tenant, name): (&'g str, &'g str)) -> GrantFacts<'g> {
        let key = GrantKey {
            tenant,
            name,
            server: &self.server,
            sink: &self.sink,
            target: self.target.as_deref(),
            field: &self.field,
        };
        let (created_at, created_by) = (self.created_at, &*self.created_by);
        GrantFacts { id: &self.id, key, created_at, created_by }
    }
}

/// A version with its data key.
pub(crate) struct WrappedRow {
    pub(crate) tenant_id: String,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) wrapped_dek: String,
}
