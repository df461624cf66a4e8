//! The persons that events are about, and the keys their events are encrypted with.
//!
//! A subject is a user of a tenant in a department. What an event says about it is encrypted with a data
//! key of the subject's own, and the event names it by a pseudonym. The data key lies in
//! `audit_subjects`, encrypted by a key from outside of the database
//! ([`KeyEncryption`](systemprompt_core::encryption::KeyEncryption)). Whoever deletes that one row has erased the subject: from every event, every
//! backup of the events and every export, without touching a row that the Merkle tree covers.
//!
//! # What is encrypted
//!
//! | column | of an event about a person |
//! |---|---|
//! | `id`, `kind`, `occurred_at`, `trace_id`, `tenant_id`, `agent_id`, `plugin_id`, `door`, `server`, `tool`, `decision`, `reason_code`, `policy_version`, `permit_id`, `expires_at`, `status`, all sizes and durations | in clear |
//! | `call_id`, `session_id`, `context_id`, `task_id` | in clear: random ids, which outcomes and searches need |
//! | `user_id` | a pseudonym |
//! | `department`, `credential_id`, `actor_chain`, `user_agent`, `client_addr`, `arguments_digest`, `call_digest`, `reason`, `reason_data`, `evaluation`, `result_digest`, `error` | encrypted |
//! | `detail` | encrypted; of an `ai_request` in clear, which holds models, tokens and costs |
//!
//! Bodies of requests to models (`ai_request_bodies`) are encrypted or refused, never stored in clear.
//!
//! What is encrypted of a row is one JSON object of the columns' names, texts as they are and digests in
//! hex, with the person's `user_id`: AES-256-GCM under the subject's data key, with the log's name, the
//! event's id and the pseudonym as associated data. Nonce, ciphertext and tag stand in base64 as the
//! member `sealed` of the object in `detail`, its first; the columns themselves are NULL. The leaf hash is
//! over what is stored, so that verification needs no key.

mod cache;
mod data_key;
mod erase;
mod keys;
mod reveal;
mod sealed;

use std::sync::Arc;

use serde_json::Value as Json;
use systemprompt_core::database::{ConnectionMut, DbConnection, DbTransaction};
use systemprompt_core::event::{AuditBody, AuditEvent, EventKind};
use systemprompt_core::principal::Principal;

pub(crate) use self::data_key::DataKey;
pub use self::erase::{
    EraseError, Erased, Erasure, RewrapError, Rewrapped, erase_subject, rewrap_keys,
};
pub use self::keys::SubjectKeys;
pub use self::reveal::pseudonyms_of;
pub(crate) use self::reveal::{is_pseudonym, reveal, reveal_permits};
pub(crate) use self::sealed::seal;

/// What every pseudonym begins with.
pub(crate) const PREFIX: &str = "subject-";

/// A person as a subject is found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Person {
    pub(crate) tenant: Arc<str>,
    pub(crate) user: Arc<str>,
    /// Empty when there is none.
    pub(crate) department: Arc<str>,
}

/// A subject as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct SubjectRow {
    pub(crate) pseudonym: String,
    pub(crate) tenant_id: String,
    pub(crate) user_id: String,
    pub(crate) department: String,
    pub(crate) wrapped_key: String,
}

impl SubjectRow {
    fn person(&self) -> Person {
        Person {
            tenant: self.tenant_id.as_str().into(),
            user: self.user_id.as_str().into(),
            department: self.department.as_str().into(),
        }
    }
}

impl Person {
    /// Whom an event is about: on whose behalf it happened, or whom an event of the system itself names.
    pub(crate) fn of(event: &AuditEvent) -> Option<Self> {
        if let Some(subject) = &event.subject {
            return Some(Self {
                tenant: subject.tenant.clone().into(),
                user: subject.user.clone().into(),
                department: subject.department.clone().map_or_else(|| "".into(), Into::into),
            });
        }
        match &event.body {
            AuditBody::Other { kind, detail } if is_about_a_person(*kind) => {
                let member = |name: &str| detail.get(name).and_then(Json::as_str);
                Some(Self {
                    tenant: member("tenant")?.into(),
                    user: member("user")?.into(),
                    department: member("department").unwrap_or_default().into(),
                })
            }
            _ => None,
        }
    }
}

impl From<&Principal> for Person {
    fn from(principal: &Principal) -> Self {
        let claims = principal.claims();
        Self {
            tenant: claims.tenant.clone().into(),
            user: claims.user.clone().into(),
            department: claims.department.clone().map_or_else(|| "".into(), Into::into),
        }
    }
}

fn is_about_a_person(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::UserCreated
            | EventKind::KeyCreated
            | EventKind::KeyRevoked
            | EventKind::TokenRevoked
    )
}

/// What leads to a connection, in a transaction or not.
pub(crate) trait Lends: Send {
    fn driver(&mut self) -> ConnectionMut<'_>;
}

impl Lends for DbConnection {
    fn driver(&mut self) -> ConnectionMut<'_> {
        Self::driver(self)
    }
}

impl Lends for DbTransaction<'_> {
    fn driver(&mut self) -> ConnectionMut<'_> {
        Self::driver(self)
    }
}
