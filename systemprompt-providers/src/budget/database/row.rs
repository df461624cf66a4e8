//! How counters and reservations are kept in columns.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use systemprompt_core::contract::{BudgetError, BudgetKey};
use systemprompt_core::id::ReservationId;

use super::corrupt;
use crate::budget::ledger::{Amounts, Charge, Counter, Counters, Held, State, Tally, WindowKey};

const WINDOWS: &str = "budget_windows";
const RESERVATIONS: &str = "budget_reservations";

/// A row of `budget_windows`.
pub(super) struct WindowRow {
    pub(super) cap_key: String,
    pub(super) window_s: i64,
    pub(super) starts_at: i64,
    pub(super) settled_microdollars: i64,
    pub(super) held_microdollars: i64,
    pub(super) settled_tokens: i64,
    pub(super) held_tokens: i64,
}

/// A row of `budget_reservations`.
pub(super) struct ReservationRow {
    pub(super) id: Vec<u8>,
    pub(super) state: String,
    pub(super) microdollars: i64,
    pub(super) tokens: i64,
    pub(super) charges: String,
    pub(super) timeout_us: i64,
    pub(super) deadline: i64,
    pub(super) keep_until: i64,
}

/// An element of the column `charges`.
#[derive(Serialize, Deserialize)]
struct KeptCharge<'k> {
    name: Arc<str>,
    #[serde(borrow)]
    key: std::borrow::Cow<'k, str>,
    window_s: u32,
    starts_at: i64,
    limit_microdollars: Option<u64>,
    limit_tokens: Option<u64>,
}

/// The counters of rows.
pub(super) fn counters(rows: Vec<WindowRow>) -> Result<Counters, BudgetError> {
    rows.into_iter()
        .map(|row| {
            let window = WindowKey {
                key: BudgetKey::from_kept(&row.cap_key),
                window_s: u32::try_from(row.window_s).map_err(|_| corrupt(WINDOWS))?,
                starts_at: row.starts_at,
            };
            let tally = |settled, held| Tally { settled, held };
            let counter = Counter {
                microdollars: tally(row.settled_microdollars, row.held_microdollars),
                tokens: tally(row.settled_tokens, row.held_tokens),
            };
            Ok((window, counter))
        })
        .collect()
}

impl ReservationRow {
    pub(super) fn of(id: ReservationId, held: &Held) -> Self {
        let charges: Vec<_> = held.charges.iter().map(KeptCharge::of).collect();
        Self {
            id: id.as_bytes().to_vec(),
            state: text(held.state).to_owned(),
            microdollars: held.amounts.microdollars,
            tokens: held.amounts.tokens,
            // Structures of texts and numbers always serialise.
            charges: serde_json::to_string(&charges).unwrap_or_else(|_| "[]".to_owned()),
            timeout_us: held.timeout,
            deadline: held.deadline,
            keep_until: held.keep_until,
        }
    }

    pub(super) fn read(&self) -> Result<(ReservationId, Held), BudgetError> {
        let id = <[u8; 16]>::try_from(self.id.as_slice()).map_err(|_| corrupt(RESERVATIONS))?;
        let charges: Vec<KeptCharge<'_>> =
            serde_json::from_str(&self.charges).map_err(|_| corrupt(RESERVATIONS))?;
        let held = Held {
            state: state(&self.state).ok_or_else(|| corrupt(RESERVATIONS))?,
            amounts: Amounts { microdollars: self.microdollars, tokens: self.tokens },
            charges: charges.into_iter().map(KeptCharge::read).collect(),
            timeout: self.timeout_us,
            deadline: self.deadline,
            keep_until: self.keep_until,
        };
        Ok((ReservationId::from_bytes(id), held))
    }
}

impl<'k> KeptCharge<'k> {
    fn of(charge: &'k Charge) -> Self {
        Self {
            name: charge.name.clone(),
            key: charge.window.key.as_str().into(),
            window_s: charge.window.window_s,
            starts_at: charge.window.starts_at,
            limit_microdollars: charge.limit_microdollars,
            limit_tokens: charge.limit_tokens,
        }
    }

    fn read(self) -> Charge {
        Charge {
            name: self.name,
            window: WindowKey {
                key: BudgetKey::from_kept(&self.key),
                window_s: self.window_s,
                starts_at: self.starts_at,
            },
            limit_microdollars: self.limit_microdollars,
            limit_tokens: self.limit_tokens,
        }
    }
}

fn text(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Settled => "settled",
        State::Released => "released",
        State::Expired => "expired",
    }
}

fn state(text: &str) -> Option<State> {
    [State::Open, State::Settled, State::Released, State::Expired]
        .into_iter()
        .find(|state| self::text(*state) == text)
}
