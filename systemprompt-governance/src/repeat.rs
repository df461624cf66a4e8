//! Repeats: the same call again while its permit is unspent gets the same permit and is not charged.

use std::collections::VecDeque;
use std::hash::Hasher as _;
use std::sync::Arc;

use hashbrown::HashMap;
use parking_lot::Mutex;
use siphasher::sip128::{Hasher128 as _, SipHasher13};
use systemprompt_core::call::{Digest, ToolCall};
use systemprompt_core::clock::Timestamp;
use systemprompt_core::decision::PermitClaim;
use systemprompt_core::id::{CallId, PermitId, SessionId, TenantId, TokenId, UserId};
use tokio::sync::Notify;

use crate::policy::absorb;

/// Most calls that are remembered; the oldest is forgotten first and would be charged again.
const CAPACITY: usize = if cfg!(test) { 1024 } else { 65_536 };

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
    /// What was granted, oldest first, with places of what is forgotten among them.
    order: VecDeque<PermitId>,
}

#[derive(Debug)]
enum Entry {
    /// The first such call is being decided; repeats wait for it.
    Deciding(Option<Arc<Notify>>),
    /// The first such call was allowed.
    Granted(Granted),
}

/// A permit that repeats get.
#[derive(Debug, Clone)]
pub(crate) struct Granted {
    key: u128,
    pub(crate) permit: PermitId,
    pub(crate) expires_at: Timestamp,
    /// What all permits of this id share.
    pub(crate) claim: PermitClaim,
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
            Some(Entry::Granted(granted)) if granted.expires_at >= now => Some(granted.clone()),
            _ => None,
        }
    }

    /// Forgets a permit: the next such call is decided anew.
    pub(crate) fn forget(&self, permit: PermitId) {
        self.table.lock().forget(permit);
    }

    /// Forgets a permit that was settled or abandoned, and keeps what is left of it from being run.
    pub(crate) fn spent(&self, permit: PermitId) {
        let entry = self.table.lock().forget(permit);
        if let Some(Entry::Granted(granted)) = entry {
            granted.claim.spend();
        }
    }

    /// Adds a permit of an earlier run, unless the call has been decided anew. Whoever got it then may
    /// have run the tool.
    pub(crate) fn remember(&self, open: &OpenPermit) {
        let key = self.key(
            [open.tenant.as_str(), open.user.as_str(), open.credential.as_str()],
            open.session.as_ref(),
            &open.call_id,
            open.call_digest,
        );
        let mut table = self.table.lock();
        if !table.entries.contains_key(&key) {
            let claim = PermitClaim::handed_out();
            let OpenPermit { permit, expires_at, .. } = *open;
            table.grant(Granted { key, permit, expires_at, claim });
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
                return Lookup::Repeat(granted.clone());
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

    fn forget(&mut self, permit: PermitId) -> Option<Entry> {
        let key = self.by_permit.remove(&permit)?;
        self.entries.remove(&key)
    }

    fn grant(&mut self, granted: Granted) {
        self.make_room();
        self.order.push_back(granted.permit);
        self.by_permit.insert(granted.permit, granted.key);
        self.entries.insert(granted.key, Entry::Granted(granted));
    }

    /// Lets the oldest permit go when there are too many; places of what is forgotten go before it.
    fn make_room(&mut self) {
        let Self { order, by_permit, .. } = self;
        while order.front().is_some_and(|oldest| !by_permit.contains_key(oldest)) {
            order.pop_front();
        }
        if by_permit.len() >= CAPACITY {
            if let Some(oldest) = order.pop_front() {
                self.forget(oldest);
            }
        } else if order.len() >= 2 * CAPACITY {
            // At least half the places are empty, so this happens once in so many grants.
            order.retain(|permit| by_permit.contains_key(permit));
        }
    }
}

impl First {
    /// Says which permit repeats get if the decision becomes durable. From here on, being dropped
    /// counts as granted: the decision may be on its way to the log, which a repeat then asks.
    pub(crate) fn grant(&mut self, permit: PermitId, expires_at: Timestamp, claim: PermitClaim) {
        self.granted = Some(Granted { key: self.key, permit, expires_at, claim });
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
        if let Some(granted) = self.granted.take() {
            table.grant(granted);
        }
        drop(table);
        if let Some(Entry::Deciding(Some(turn))) = before {
            turn.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(call: &str) -> OpenPermit {
        OpenPermit {
            permit: PermitId::generate(),
            expires_at: Timestamp::from_micros(1),
            tenant: "acme".parse().unwrap(),
            user: "ursula".parse().unwrap(),
            credential: "key".parse().unwrap(),
            session: None,
            call_id: CallId::parse(call).unwrap(),
            call_digest: Digest::of(b""),
        }
    }

    #[test]
    fn settled_permits_do_not_push_out_an_open_one() {
        let repeats = Repeats::new([0; 16]);
        let kept = open("kept");
        repeats.remember(&kept);
        for at in 0..3 * CAPACITY {
            let settled = open(&at.to_string());
            repeats.remember(&settled);
            repeats.spent(settled.permit);
        }
        let table = repeats.table.lock();
        assert!(table.by_permit.contains_key(&kept.permit));
        assert_eq!((table.by_permit.len(), table.entries.len()), (1, 1));
        assert!(table.order.len() <= 2 * CAPACITY);
    }

    #[test]
    fn the_oldest_of_too_many_open_permits_is_forgotten() {
        let repeats = Repeats::new([0; 16]);
        let oldest = open("oldest");
        repeats.remember(&oldest);
        for at in 0..CAPACITY {
            repeats.remember(&open(&at.to_string()));
        }
        let table = repeats.table.lock();
        assert!(!table.by_permit.contains_key(&oldest.permit));
        assert_eq!(table.by_permit.len(), CAPACITY);
        assert_eq!(table.entries.len(), CAPACITY);
    }
}
