//! Repeats: the same call again while its permit is unspent gets the same permit and is not charged.

use std::collections::VecDeque;
use std::hash::Hasher as _;
use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;
use siphasher::sip128::{Hasher128 as _, SipHasher13};
use systemprompt_core::call::{Digest, ToolCall};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::id::{CallId, PermitId, SessionId, TenantId, TokenId, UserId};
use tokio::sync::Notify;

use crate::policy::absorb;

/// Most calls that are remembered; the oldest is forgotten first and would be charged again.
const CAPACITY: usize = 65_536;

/// A permit of an earlier run that is still open, as the audit log tells it; see
/// [`Governor::remember`](crate::Governor::remember).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPermit {
    /// The permit.
    pub permit: PermitId,
    /// Until when an outcome is accepted.
    pub expires_at: Timestamp,
    /// The tenant of the principal it was granted to.
    pub tenant: TenantId,
    /// The user it was granted to.
    pub user: UserId,
    /// The credential that was used.
    pub credential: TokenId,
    /// The session.
    pub session: Option<SessionId>,
    /// The call.
    pub call_id: CallId,
    /// The digest of the call.
    pub call_digest: Digest,
}

/// What calls were allowed and may come again.
#[derive(Debug)]
pub(crate) struct Repeats {
    hash_key: [u8; 16],
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<u128, Entry>,
    by_permit: HashMap<PermitId, u128>,
    order: VecDeque<Granted>,
}

#[derive(Debug)]
enum Entry {
    /// The first such call is being decided; repeats wait for it.
    Deciding(Option<Arc<Notify>>),
    /// The first such call was allowed.
    Granted(Granted),
}

/// A permit that repeats get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Granted {
    key: u128,
    pub(crate) permit: PermitId,
    pub(crate) expires_at: Timestamp,
}

/// What a call is.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The first of its kind; others wait until this is dropped.
    First(First),
    /// The same as an allowed call whose permit may still be open.
    Repeat(Granted),
}

/// The right to decide a call that others may be waiting to repeat.
#[derive(Debug)]
pub(crate) struct First {
    repeats: Arc<Repeats>,
    key: u128,
    granted: Option<Granted>,
}

impl Repeats {
    pub(crate) fn new(hash_key: [u8; 16]) -> Arc<Self> {
        Arc::new(Self { hash_key, table: Mutex::default() })
    }

    /// Waits for a call like this one that is being decided, then says what this one is. `None` when
    /// the caller did not name the call, so that it cannot be repeated.
    pub(crate) async fn claim(self: &Arc<Self>, call: &ToolCall, now: Timestamp) -> Option<Claim> {
        if !call.call_id_supplied() {
            return None;
        }
        let key = self.key_of(call);
        loop {
            let turn = match self.table.lock().look_up(key, now) {
                Lookup::First => {
                    let repeats = Arc::clone(self);
                    return Some(Claim::First(First { repeats, key, granted: None }));
                }
                Lookup::Repeat(granted) => return Some(Claim::Repeat(granted)),
                Lookup::Wait(turn) => turn.notified_owned(),
            };
            turn.await;
        }
    }

    /// What [`claim`](Self::claim) would find, without waiting or claiming.
    pub(crate) fn peek(&self, call: &ToolCall, now: Timestamp) -> Option<Granted> {
        let key = call.call_id_supplied().then(|| self.key_of(call))?;
        match self.table.lock().entries.get(&key) {
            Some(Entry::Granted(granted)) if granted.expires_at >= now => Some(*granted),
            _ => None,
        }
    }

    /// Forgets a permit that is no longer open.
    pub(crate) fn forget(&self, permit: PermitId) {
        let mut table = self.table.lock();
        if let Some(key) = table.by_permit.remove(&permit) {
            table.entries.remove(&key);
        }
    }

    /// Adds a permit of an earlier run, unless the call has been decided anew.
    pub(crate) fn remember(&self, open: &OpenPermit) {
        let key = self.key(
            [open.tenant.as_str(), open.user.as_str(), open.credential.as_str()],
            open.session.as_ref(),
            &open.call_id,
            open.call_digest,
        );
        let mut table = self.table.lock();
        if !table.entries.contains_key(&key) {
            table.grant(Granted { key, permit: open.permit, expires_at: open.expires_at });
        }
    }

    fn key_of(&self, call: &ToolCall) -> u128 {
        let claims = call.principal().claims();
        self.key(
            [claims.tenant.as_str(), claims.user.as_str(), claims.credential.as_str()],
            call.session(),
            call.call_id(),
            call.digest(),
        )
    }

    fn key(
        &self,
        principal: [&str; 3],
        session: Option<&SessionId>,
        call_id: &CallId,
        digest: Digest,
    ) -> u128 {
        let mut hash = SipHasher13::new_with_key(&self.hash_key);
        for part in principal {
            absorb(&mut hash, Some(part));
        }
        absorb(&mut hash, session.map(SessionId::as_str));
        absorb(&mut hash, Some(call_id.as_str()));
        hash.write(digest.as_bytes());
        hash.finish128().as_u128()
    }
}

enum Lookup {
    First,
    Repeat(Granted),
    Wait(Arc<Notify>),
}

impl Table {
    fn look_up(&mut self, key: u128, now: Timestamp) -> Lookup {
        match self.entries.get_mut(&key) {
            Some(Entry::Deciding(turn)) => {
                return Lookup::Wait(turn.get_or_insert_with(Arc::default).clone());
            }
            Some(Entry::Granted(granted)) if granted.expires_at >= now => {
                return Lookup::Repeat(*granted);
            }
            Some(Entry::Granted(expired)) => {
                let permit = expired.permit;
                self.by_permit.remove(&permit);
            }
            None => {}
        }
        self.entries.insert(key, Entry::Deciding(None));
        Lookup::First
    }

    fn grant(&mut self, granted: Granted) {
        if self.order.len() >= CAPACITY
            && let Some(oldest) = self.order.pop_front()
            && self.by_permit.remove(&oldest.permit).is_some()
        {
            self.entries.remove(&oldest.key);
        }
        self.order.push_back(granted);
        self.by_permit.insert(granted.permit, granted.key);
        self.entries.insert(granted.key, Entry::Granted(granted));
    }
}

impl First {
    /// Says which permit repeats get if the decision becomes durable. From here on, being dropped
    /// counts as granted: the decision may be on its way to the log, which a repeat then asks.
    pub(crate) fn grant(&mut self, permit: PermitId, expires_at: Timestamp) {
        self.granted = Some(Granted { key: self.key, permit, expires_at });
    }

    /// The decision did not become durable after all: the next such call is the first.
    pub(crate) fn revoke(&mut self) {
        self.granted = None;
    }
}

impl Drop for First {
    fn drop(&mut self) {
        let mut table = self.repeats.table.lock();
        let before = table.entries.remove(&self.key);
        if let Some(granted) = self.granted {
            table.grant(granted);
        }
        drop(table);
        if let Some(Entry::Deciding(Some(turn))) = before {
            turn.notify_waiters();
        }
    }
}
