use std::collections::{HashMap, VecDeque};

use systemprompt_core::clock::Timestamp;

use crate::column::{Column, Value};
use crate::row::Row;
use crate::store::Granted;

/// Most permits that are remembered.
const MOST: usize = 4_096;

/// How long a permit is remembered, in microseconds: for less than retention by age keeps anything.
const LONGEST: i64 = 30_000_000;

/// Permits that this writer has granted a short while ago, so that settling them needs no look into the log.
///
/// It may be wrong about a permit that another writer has settled in the meantime. The log refuses the second
/// outcome of a permit; what is remembered is forgotten then, and the log is asked. It is asked as well about a
/// permit that has expired, because only it can tell whether that was settled before.
#[derive(Debug)]
pub(crate) struct Grants {
    by_permit: HashMap<[u8; 16], (i64, Granted)>,
    /// Every permit that is remembered and some that are forgotten, the oldest first.
    order: VecDeque<[u8; 16]>,
}

impl Grants {
    pub(crate) fn new() -> Self {
        Self { by_permit: HashMap::new(), order: VecDeque::new() }
    }

    /// Remembers the permit that a decision has granted, if it did.
    pub(super) fn remember(&mut self, row: &Row, now: Timestamp) {
        let Some(permit) = row.granted().map(|permit| *permit.as_bytes()) else { return };
        let (Value::Id(trace_id), Value::Integer(expires_at)) =
            (row.value(Column::TraceId), row.value(Column::ExpiresAt))
        else {
            return;
        };
        let text = |column| match row.value(column) {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        };
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_permit.remove(&oldest);
        }
        self.order.push_back(permit);
        let granted = Granted {
            permit,
            trace_id: *trace_id,
            call_id: text(Column::CallId),
            tenant_id: text(Column::TenantId),
            user_id: text(Column::UserId),
            owner: None,
            expires_at: *expires_at,
            settled: None,
        };
        self.by_permit.insert(permit, (now.as_micros(), granted));
    }

    /// What is remembered of `permits`; the rest of them, which are not.
    pub(super) fn of(
        &self,
        permits: impl Iterator<Item = [u8; 16]>,
        now: Timestamp,
    ) -> (Vec<Granted>, Vec<[u8; 16]>) {
        let now = now.as_micros();
        let counts = |since: i64, granted: &Granted| {
            (0..LONGEST).contains(&now.saturating_sub(since)) && now <= granted.expires_at
        };
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for permit in permits {
            match self.by_permit.get(&permit) {
                Some((since, granted)) if counts(*since, granted) => known.push(granted.clone()),
                _ => unknown.push(permit),
            }
        }
        (known, unknown)
    }

    /// Forgets a permit, which is settled.
    pub(super) fn forget(&mut self, permit: &[u8; 16]) {
        self.by_permit.remove(permit);
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.by_permit.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn granting(permit: u16) -> Row {
        let mut row = Row::new();
        row.set(Column::Id, Value::Id(id(permit)));
        row.set(Column::TraceId, Value::Id([7; 16]));
        row.set(Column::Decision, "allow");
        row.set(Column::UserId, "ada".to_owned());
        row.set(Column::ExpiresAt, 2 * LONGEST);
        row
    }

    fn id(permit: u16) -> [u8; 16] {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&permit.to_be_bytes());
        id
    }

    #[test]
    fn a_permit_is_known_from_its_decision_until_it_is_settled() {
        let mut grants = Grants::new();
        grants.remember(&granting(1), at(0));
        let (known, unknown) = grants.of([id(1), id(2)].into_iter(), at(1));
        assert_eq!(known.len(), 1);
        let granted = &known[0];
        assert_eq!(
            (granted.permit, granted.trace_id, granted.expires_at),
            (id(1), [7; 16], 2 * LONGEST)
        );
        assert_eq!(granted.user_id.as_deref(), Some("ada"));
        assert!(granted.settled.is_none());
        assert_eq!(unknown, [id(2)]);
        grants.forget(&id(1));
        assert_eq!(grants.of([id(1)].into_iter(), at(1)).1, [id(1)]);
    }

    #[test]
    fn the_log_is_asked_about_what_is_old_has_expired_or_is_of_the_future() {
        let mut grants = Grants::new();
        grants.remember(&granting(1), at(LONGEST));
        let asks = |now| grants.of([id(1)].into_iter(), at(now)).1.len();
        assert_eq!([LONGEST - 1, LONGEST, 2 * LONGEST - 1, 2 * LONGEST].map(asks), [1, 0, 0, 1]);
        let mut short = granting(2);
        short.set(Column::ExpiresAt, LONGEST + 5);
        grants.remember(&short, at(LONGEST));
        let asks = |now| grants.of([id(2)].into_iter(), at(now)).1.len();
        assert_eq!([LONGEST + 5, LONGEST + 6].map(asks), [0, 1]);
    }

    #[test]
    fn what_grants_nothing_is_not_remembered() {
        let mut grants = Grants::new();
        let mut denied = granting(1);
        denied.set(Column::Decision, "deny");
        let mut repeat = granting(2);
        repeat.set(Column::PermitId, Value::Id(id(1)));
        for row in [denied, repeat] {
            grants.remember(&row, at(0));
        }
        assert!(grants.by_permit.is_empty());
    }

    #[test]
    fn the_oldest_are_forgotten_first() {
        let mut grants = Grants::new();
        let last = u16::try_from(MOST).unwrap();
        for permit in 0..=last {
            grants.remember(&granting(permit), at(0));
        }
        assert_eq!((grants.by_permit.len(), grants.order.len()), (MOST, MOST));
        assert_eq!(grants.of([id(0), id(1), id(last)].into_iter(), at(1)).1, [id(0)]);
        grants.clear();
        assert_eq!(grants.of([id(1)].into_iter(), at(1)).1, [id(1)]);
    }
}
