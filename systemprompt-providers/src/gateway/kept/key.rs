use ::http::HeaderMap;
use sha2::{Digest as _, Sha256};
use systemprompt_core::config::CacheShare;
use systemprompt_core::llm::Dialect;

use crate::gateway::ask::Asking;
use crate::gateway::body::RequestBody;
use crate::gateway::lane;
use crate::gateway::send::reaches_provider;
use crate::route::ChosenTarget;

/// What an answer is kept under: SHA-256 of everything that it depends on, and of whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct KeptKey([u8; 32]);

impl KeptKey {
    /// The key of a request whose body was looked through, for the target that it goes to first.
    pub(super) fn of(
        asking: &Asking,
        body: &RequestBody,
        target: &ChosenTarget,
        share: CacheShare,
    ) -> Self {
        let mut hash = Parts(Sha256::new());
        let claims = asking.caller.principal.claims();
        hash.part(claims.tenant.as_str());
        match share {
            CacheShare::Principal => {
                hash.part("principal");
                hash.part(claims.user.as_str());
                hash.part(claims.credential.as_str());
                hash.number(claims.actors.len());
                claims.actors.iter().for_each(|actor| hash.part(actor.as_str()));
            }
            CacheShare::Tenant => hash.part("tenant"),
        }
        hash.part(asking.dialect.as_str());
        hash.part(&**target.provider.name());
        hash.part(&target.model);
        hash.part(asking.query.as_deref().unwrap_or_default());
        hash.headers(&asking.headers, asking.dialect);
        hash.members(body, asking.dialect);
        Self(hash.0.finalize().into())
    }
}

/// Parts of a key, each with its length, so that none can run into the next.
struct Parts(Sha256);

impl Parts {
    fn part(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.number(part.len());
        self.0.update(part);
    }

    fn number(&mut self, number: usize) {
        self.0.update((number as u64).to_be_bytes());
    }

    /// The headers that the provider gets to see, but for the one that tells two tries of the same request.
    fn headers(&mut self, headers: &HeaderMap, dialect: Dialect) {
        let mut seen: Vec<_> = headers
            .iter()
            .filter(|(name, _)| {
                reaches_provider(dialect, name.as_str()) && *name != "idempotency-key"
            })
            .collect();
        // Values of the same name keep their order.
        seen.sort_by_key(|(name, _)| name.as_str());
        self.number(seen.len());
        for (name, value) in seen {
            self.part(name.as_str());
            self.part(value.as_bytes());
        }
    }

    /// The members of the body in the order of their names, each as it is written, without those that name
    /// a person and are kept from the provider.
    fn members(&mut self, body: &RequestBody, dialect: Dialect) {
        let identity = lane::identity(dialect);
        let mut members: Vec<_> =
            body.members().filter(|(name, _)| !identity.contains(name)).collect();
        members.sort_by_key(|(name, _)| *name);
        self.number(members.len());
        for (name, place) in members {
            self.part(name);
            self.part(body.at(place));
        }
    }
}

#[cfg(test)]
impl KeptKey {
    pub(super) fn numbered(number: u64) -> Self {
        Self(Sha256::digest(number.to_be_bytes()).into())
    }
}
