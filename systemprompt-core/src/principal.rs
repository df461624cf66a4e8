//! Who is calling: the result of authentication.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

use crate::id::{Audience, DepartmentId, RoleId, Scope, TenantId, TokenId, UserId};

/// Most links an actor chain may have.
pub const MAX_ACTORS: usize = 8;

/// An authenticated caller. Only an authenticator makes one; cloning is a reference count.
///
/// Everything in it comes from the credential and the identity store, nothing from the request.
#[derive(Debug, Clone)]
pub struct Principal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    claims: PrincipalClaims,
    /// What is recorded with every plain decision for this principal, made with the first of them; with
    /// the scanner it was made for.
    features: OnceLock<(Arc<str>, Arc<str>)>,
}

/// What an authenticator found out about a caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrincipalClaims {
    /// The tenant the user belongs to.
    pub tenant: TenantId,
    /// The user.
    pub user: UserId,
    /// Roles held.
    pub roles: BTreeSet<RoleId>,
    /// Scopes of the credential.
    pub scopes: BTreeSet<Scope>,
    /// The user's department.
    pub department: Option<DepartmentId>,
    /// The surface the credential was accepted for.
    pub audience: Audience,
    /// The key id or `jti` of the credential.
    pub credential: TokenId,
    /// Who acts on the user's behalf, outermost first (RFC 8693 section 4.1), at most [`MAX_ACTORS`].
    pub actors: Vec<UserId>,
}

/// An actor chain longer than [`MAX_ACTORS`], or one in which an actor acts for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the actor chain is longer than {MAX_ACTORS} links or names an actor twice")]
pub struct ActorChainError;

impl PartialEq for Principal {
    fn eq(&self, other: &Self) -> bool {
        self.0.claims == other.0.claims
    }
}

impl Eq for Principal {}

impl Principal {
    /// Asserts that the caller was authenticated with these claims. For authenticators only: every
    /// use of this constructor is a place where trust begins.
    ///
    /// # Errors
    /// [`ActorChainError`] when the actor chain is too long or cyclic.
    pub fn assert_authenticated(claims: PrincipalClaims) -> Result<Self, ActorChainError> {
        let distinct: BTreeSet<_> = claims.actors.iter().collect();
        if claims.actors.len() > MAX_ACTORS || distinct.len() != claims.actors.len() {
            return Err(ActorChainError);
        }
        Ok(Self(Arc::new(Inner { claims, features: OnceLock::new() })))
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.0.claims.tenant
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.0.claims.user
    }

    /// The department.
    #[must_use]
    pub fn department(&self) -> Option<&DepartmentId> {
        self.0.claims.department.as_ref()
    }

    /// Whether the credential carries `scope`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.claims.scopes.contains(scope)
    }

    /// Whether the user holds `role`.
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.0.claims.roles.contains(role)
    }

    /// All claims.
    #[must_use]
    pub fn claims(&self) -> &PrincipalClaims {
        &self.0.claims
    }

    /// The text that `make` makes for `rules`, made once where it can be.
    pub(crate) fn features(&self, rules: &Arc<str>, make: impl Fn() -> Arc<str>) -> Arc<str> {
        let (known, text) = self.0.features.get_or_init(|| (rules.clone(), make()));
        if known == rules { text.clone() } else { make() }
    }
}
