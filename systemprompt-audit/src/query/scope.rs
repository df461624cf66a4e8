use systemprompt_core::id::TenantId;
use systemprompt_core::principal::Principal;

/// Whose events a reader sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadScope {
    /// Those of one tenant.
    Tenant(TenantId),
    /// All, also those of the system itself. For operators with access to the database anyway.
    All,
}

impl ReadScope {
    /// The tenant, unless everything is in scope.
    pub(crate) fn tenant(&self) -> Option<&str> {
        match self {
            Self::Tenant(tenant) => Some(tenant.as_str()),
            Self::All => None,
        }
    }
}

impl From<&Principal> for ReadScope {
    fn from(principal: &Principal) -> Self {
        Self::Tenant(principal.tenant().clone())
    }
}
