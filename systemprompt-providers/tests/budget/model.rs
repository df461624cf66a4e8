//! Random sequences of operations give the same answers as a model that adds everything up anew each
//! time, from a list of all that ever happened.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use systemprompt_core::clock::{Clock as _, Timestamp};
use systemprompt_core::contract::{
    BudgetCap, BudgetError, BudgetRefusal, BudgetRequest, BudgetUnit, Settlement,
};
use systemprompt_core::id::ReservationId;

use crate::support::{Home, cap, money, over, tokens, usd};

/// Few and short enough that nothing is forgotten while a sequence runs.
const OPERATIONS: usize = 50;

#[derive(Debug, Clone)]
enum Operation {
    Reserve { caps: Vec<usize>, amounts: (i64, u64), timeout_s: u64 },
    Settle { which: prop::sample::Index, amounts: (i64, u64) },
    Release { which: prop::sample::Index },
    Extend { which: prop::sample::Index, amounts: (i64, u64) },
    Expire,
    Step { micros: i64 },
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    let amounts = || (0..60_i64, 0..60_u64);
    let which = any::<prop::sample::Index>;
    let caps = prop::collection::vec(0..4_usize, 0..4);
    let one = prop_oneof![
        6 => (caps, amounts(), 0..20_u64).prop_map(|(caps, amounts, timeout_s)| {
            Operation::Reserve { caps, amounts, timeout_s }
        }),
        4 => (which(), amounts()).prop_map(|(which, amounts)| Operation::Settle { which, amounts }),
        1 => which().prop_map(|which| Operation::Release { which }),
        3 => (which(), amounts()).prop_map(|(which, amounts)| Operation::Extend { which, amounts }),
        1 => Just(Operation::Expire),
        4 => (0..10_000_000_i64).prop_map(|micros| Operation::Step { micros }),
        1 => (-10_000_000..0_i64).prop_map(|micros| Operation::Step { micros }),
    ];
    prop::collection::vec(one, 1..OPERATIONS)
}

/// The caps of a sequence, with counters that no other sequence has.
fn caps(sequence: u64) -> Vec<BudgetCap> {
    let named = |name: &str| format!("{name} {sequence}");
    let both = BudgetCap { limit_tokens: Some(150), ..money(&named("both"), 200) };
    vec![
        over(both, 30),
        over(money(&named("money"), 100), 7),
        over(tokens(&named("tokens"), 120), 60),
        over(cap(&named("free")), 7),
    ]
}

#[derive(Default)]
struct Model {
    happened: Vec<Entry>,
}

struct Entry {
    id: ReservationId,
    /// The position of each cap, and the start of its window.
    windows: Vec<(usize, i64)>,
    held: Option<(i64, u64)>,
    used: Option<(i64, u64)>,
    timeout: i64,
    deadline: i64,
}

fn start(cap: &BudgetCap, now: i64) -> i64 {
    let length = i64::from(cap.window_s.get()) * 1_000_000;
    now / length * length
}

impl Model {
    /// What is settled and held of each unit in a window.
    fn sums(&self, window: (usize, i64)) -> [(u64, u64); 2] {
        let mut sums = [(0, 0); 2];
        for entry in self.happened.iter().filter(|entry| entry.windows.contains(&window)) {
            let (money, tokens) = entry.used.unwrap_or_default();
            sums[0].0 += u64::try_from(money).unwrap();
            sums[1].0 += tokens;
            let (money, tokens) = entry.held.unwrap_or_default();
            sums[0].1 += u64::try_from(money).unwrap();
            sums[1].1 += tokens;
        }
        sums
    }

    fn refusal(
        &self,
        caps: &[BudgetCap],
        windows: &[(usize, i64)],
        asked: (i64, u64),
        now: i64,
    ) -> Option<BudgetRefusal> {
        let mut found: Option<BudgetRefusal> = None;
        for window in windows {
            let cap = &caps[window.0];
            let sums = self.sums(*window);
            let limits = [cap.limit_microdollars.map(|limit| limit.get() as u64), cap.limit_tokens];
            let units = [BudgetUnit::Microdollars, BudgetUnit::Tokens];
            let asked = [asked.0 as u64, asked.1];
            for unit in 0..2 {
                let Some(limit) = limits[unit] else { continue };
                let left = limit.saturating_sub(sums[unit].0 + sums[unit].1);
                let ends = window.1 + i64::from(cap.window_s.get()) * 1_000_000;
                let later = found.as_ref().is_none_or(|one| ends > one.frees_at.as_micros());
                if asked[unit] > left && later {
                    found = Some(BudgetRefusal {
                        name: cap.name.clone(),
                        key: cap.key.clone(),
                        unit: units[unit],
                        limit,
                        left,
                        asked: asked[unit],
                        frees_at: Timestamp::from_micros(ends),
                        retry_after: Duration::from_micros((ends - now).max(0) as u64),
                    });
                }
            }
        }
        found
    }

    fn expire(&mut self, now: i64) -> Vec<ReservationId> {
        let due = |entry: &&mut Entry| entry.held.is_some() && entry.deadline <= now;
        let expired = self.happened.iter_mut().filter(due).map(|entry| {
            entry.held = None;
            entry.id
        });
        expired.collect()
    }

    fn reserve(
        &mut self,
        caps: &[BudgetCap],
        windows: &[(usize, i64)],
        amounts: (i64, u64),
        now: i64,
    ) -> Result<(), BudgetRefusal> {
        if self.refusal(caps, windows, amounts, now).is_some() {
            self.expire(now);
        }
        self.refusal(caps, windows, amounts, now).map_or(Ok(()), Err)
    }

    fn extend(
        &mut self,
        caps: &[BudgetCap],
        at: usize,
        more: (i64, u64),
        now: i64,
    ) -> Result<(), BudgetError> {
        let id = self.happened[at].id;
        let windows = self.happened[at].windows.clone();
        if self.happened[at].held.is_none() {
            return Err(BudgetError::NotOpen(id));
        }
        if self.refusal(caps, &windows, more, now).is_some() {
            self.expire(now);
        }
        let refusal = self.refusal(caps, &windows, more, now);
        let entry = &mut self.happened[at];
        let Some(held) = &mut entry.held else { return Err(BudgetError::NotOpen(id)) };
        if let Some(refusal) = refusal {
            return Err(refusal.into());
        }
        *held = (held.0 + more.0, held.1 + more.1);
        entry.deadline = entry.deadline.max(now + entry.timeout);
        Ok(())
    }

    fn settle(&mut self, at: usize, used: (i64, u64)) -> Settlement {
        let entry = &mut self.happened[at];
        if entry.used.is_some() {
            return Settlement::AlreadySettled;
        }
        entry.used = Some(used);
        match entry.held.take() {
            Some(_) => Settlement::Settled,
            None => Settlement::Late,
        }
    }
}

/// Runs a sequence on the store and on the model.
async fn compare(
    home: &Home,
    caps: &[BudgetCap],
    operations: &[Operation],
) -> Result<(), TestCaseError> {
    let mut model = Model::default();
    for operation in operations {
        let now = home.clock.now().as_micros();
        step(home, caps, &mut model, operation, now).await?;
        let now = home.clock.now().as_micros();
        let states = home.store.remaining(caps).await.unwrap();
        for (position, (state, cap)) in states.iter().zip(caps).enumerate() {
            let sums = model.sums((position, start(cap, now)));
            let stored = [
                (state.microdollars.settled, state.microdollars.held),
                (state.tokens.settled, state.tokens.held),
            ];
            prop_assert_eq!(stored, sums, "{} after {:?}", cap.name, operation);
        }
    }
    // The next sequence has nothing to return but its own.
    for entry in &model.happened {
        home.store.release(entry.id).await.unwrap();
    }
    Ok(())
}

async fn step(
    home: &Home,
    caps: &[BudgetCap],
    model: &mut Model,
    operation: &Operation,
    now: i64,
) -> Result<(), TestCaseError> {
    let happened = model.happened.len();
    match operation {
        Operation::Reserve { caps: chosen, amounts, timeout_s } => {
            let request = BudgetRequest {
                caps: chosen.iter().map(|position| caps[*position].clone()).collect(),
                microdollars: usd(amounts.0),
                tokens: amounts.1,
                timeout: Duration::from_secs(*timeout_s),
            };
            let windows: Vec<_> =
                chosen.iter().map(|position| (*position, start(&caps[*position], now))).collect();
            let expected = model.reserve(caps, &windows, *amounts, now);
            let reserved = home.store.reserve(&request).await;
            prop_assert_eq!(reserved.clone().map(|_| ()), expected.map_err(BudgetError::from));
            if let Ok(reserved) = reserved {
                let timeout = request.timeout.as_micros() as i64;
                prop_assert_eq!(reserved.deadline.as_micros(), now + timeout);
                let (id, deadline) = (reserved.id, now + timeout);
                let held = Some(*amounts);
                model.happened.push(Entry { id, windows, held, used: None, timeout, deadline });
            }
        }
        Operation::Expire => {
            let mut expected = model.expire(now);
            let mut expired = home.store.expire(Timestamp::from_micros(now)).await.unwrap();
            expected.sort();
            expired.sort();
            prop_assert_eq!(expired, expected);
        }
        Operation::Step { micros } if *micros < 0 => home.clock.step_wall(*micros),
        Operation::Step { micros } => home.clock.advance(Duration::from_micros(*micros as u64)),
        _ if happened == 0 => {}
        Operation::Settle { which, amounts } => {
            let at = which.index(happened);
            let settled =
                home.store.settle(model.happened[at].id, usd(amounts.0), amounts.1).await.unwrap();
            prop_assert_eq!(settled, model.settle(at, *amounts));
        }
        Operation::Release { which } => {
            let at = which.index(happened);
            home.store.release(model.happened[at].id).await.unwrap();
            model.happened[at].held = None;
        }
        Operation::Extend { which, amounts } => {
            let at = which.index(happened);
            let extended =
                home.store.extend(model.happened[at].id, usd(amounts.0), amounts.1).await;
            prop_assert_eq!(extended, model.extend(caps, at, *amounts, now));
        }
    }
    Ok(())
}

fn same_answers(home: Home, runtime: &tokio::runtime::Runtime, cases: u32) {
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(cases) });
    let sequence = std::cell::Cell::new(0);
    let ran = runner.run(&operations(), |operations| {
        sequence.set(sequence.get() + 1);
        runtime.block_on(compare(&home, &caps(sequence.get()), &operations))
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
}

#[test]
fn in_memory() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    same_answers(Home::in_memory(), &runtime, 400);
}

#[cfg(feature = "sqlite")]
#[test]
fn on_sqlite() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let home = runtime.block_on(Home::on_sqlite());
    same_answers(home, &runtime, 25);
}

#[cfg(feature = "postgres")]
#[test]
fn on_postgres() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let home = runtime.block_on(Home::on_postgres());
    same_answers(home, &runtime, 25);
}
