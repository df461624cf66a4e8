use proptest::prelude::*;
use systemprompt_core::clock::ManualClock;

use super::super::{FailureShare, UpstreamErrorKind};
use super::*;

fn reset() -> AttemptOutcome {
    AttemptOutcome::Failed(UpstreamErrorKind::Reset)
}

fn breaker(row: u32, share: Option<FailureShare>) -> (Arc<Breaker>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(0)));
    let settings = BreakerSettings {
        failures_in_a_row: row,
        share,
        open_for: Duration::from_secs(10),
        probed: None,
    };
    (Breaker::new("acme".into(), settings, clock.clone()), clock)
}

fn admit(breaker: &Arc<Breaker>) -> Ticket {
    match breaker.admit(Purpose::Call) {
        Ok(ticket) => ticket,
        Err(left) => panic!("not admitted for {left:?}"),
    }
}

#[test]
fn failures_in_a_row_open_it_and_a_probe_closes_it() {
    let (breaker, clock) = breaker(3, None);
    admit(&breaker).failed(reset());
    admit(&breaker).failed(reset());
    admit(&breaker).succeeded();
    for _ in 0..2 {
        admit(&breaker).failed(reset());
        assert_eq!(breaker.state(), BreakerState::Closed);
    }
    admit(&breaker).failed(AttemptOutcome::Status(503));
    assert_eq!(breaker.admit(Purpose::Call).err(), Some(Duration::from_secs(10)));
    clock.advance(Duration::from_secs(9));
    assert_eq!(breaker.check(), Err(Duration::from_secs(1)));
    clock.advance(Duration::from_secs(1));
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    let mut probe = admit(&breaker);
    assert_eq!(breaker.admit(Purpose::Call).err(), Some(WHILE_PROBING));
    probe.answered();
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(breaker.failures_in_a_row(), 0);
    probe.succeeded();
    let seen = breaker.seen();
    assert_eq!(seen.last_error, Some(AttemptOutcome::Status(503)));
    assert_eq!(seen.last_success, Some(Timestamp::from_micros(10_000_000)));
}

#[test]
fn a_probe_that_fails_opens_it_again() {
    let (breaker, clock) = breaker(1, None);
    admit(&breaker).failed(reset());
    clock.advance(Duration::from_secs(10));
    admit(&breaker).failed(reset());
    assert_eq!(breaker.check(), Err(Duration::from_secs(10)));
}

#[test]
fn a_probe_that_is_given_up_lets_another_one() {
    let (breaker, clock) = breaker(1, None);
    admit(&breaker).failed(reset());
    clock.advance(Duration::from_secs(10));
    drop(admit(&breaker));
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    admit(&breaker).succeeded();
    assert_eq!(breaker.state(), BreakerState::Closed);
}

#[test]
fn answers_that_break_off_count_although_they_began() {
    let (breaker, _) = breaker(2, None);
    for _ in 0..2 {
        let mut ticket = admit(&breaker);
        ticket.answered();
        ticket.failed(AttemptOutcome::Failed(UpstreamErrorKind::CutOff));
    }
    assert!(breaker.check().is_err());
}

#[test]
fn what_comes_too_late_changes_nothing() {
    let (breaker, _) = breaker(1, None);
    let (late, later) = (admit(&breaker), admit(&breaker));
    admit(&breaker).failed(reset());
    late.succeeded();
    later.failed(reset());
    assert_eq!(breaker.check(), Err(Duration::from_secs(10)));
    assert_eq!(breaker.failures_in_a_row(), 1);
}

#[test]
fn a_share_of_failures_opens_it() {
    let (breaker, _) = breaker(0, Some(FailureShare { among: 4, percent: 50 }));
    admit(&breaker).failed(reset());
    admit(&breaker).succeeded();
    admit(&breaker).failed(reset());
    assert!(breaker.check().is_ok(), "three attempts say nothing yet");
    admit(&breaker).succeeded();
    assert!(breaker.check().is_ok(), "successes do not open it");
    admit(&breaker).succeeded();
    admit(&breaker).failed(reset());
    assert!(breaker.check().is_err(), "two of the last four");
}

proptest! {
    /// However attempts end and time passes, at most one probe is under way, and after its time an open
    /// breaker lets one through.
    #[test]
    fn it_never_locks_itself_up(steps in proptest::collection::vec(0_u8..5, 1..60)) {
        let (breaker, clock) = breaker(2, Some(FailureShare { among: 3, percent: 70 }));
        let mut held: Vec<Ticket> = Vec::new();
        for step in steps {
            match step {
                0 => held.extend(breaker.admit(Purpose::Call).ok()),
                1 => if let Some(ticket) = held.pop() { ticket.failed(reset()) },
                2 => if let Some(ticket) = held.pop() { ticket.succeeded() },
                3 => drop(held.pop()),
                _ => clock.advance(Duration::from_secs(4)),
            }
            prop_assert!(held.iter().filter(|ticket| ticket.probe && ticket.epoch == breaker.inner.lock().epoch).count() <= 1);
        }
        held.clear();
        clock.advance(Duration::from_secs(10));
        prop_assert!(breaker.admit(Purpose::Call).is_ok());
    }
}

#[test]
fn callers_wait_for_a_probe_but_not_for_ever() {
    let clock = Arc::new(ManualClock::at(Timestamp::from_micros(0)));
    let second = Duration::from_secs(1);
    let settings = BreakerSettings {
        failures_in_a_row: 1,
        share: None,
        open_for: 10 * second,
        probed: Some(30 * second),
    };
    let breaker = Breaker::new("acme".into(), settings, clock.clone());
    assert_eq!(breaker.unused_for(), None);
    admit(&breaker).failed(reset());
    assert_eq!(breaker.admit(Purpose::Probe).err(), Some(10 * second), "it is left alone");
    clock.advance(10 * second);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.admit(Purpose::Call).err(), Some(second));
    assert_eq!(breaker.check(), Err(second));
    assert_eq!(breaker.unused_for(), Some(10 * second));

    // A probe that fails opens it again, one that comes to nothing leaves it to the next.
    let Ok(probe) = breaker.admit(Purpose::Probe) else { panic!("a probe is let through") };
    assert_eq!(breaker.admit(Purpose::Probe).err(), Some(WHILE_PROBING));
    probe.failed(reset());
    assert_eq!(breaker.state(), BreakerState::Open { retry_after: 10 * second });
    clock.advance(10 * second);
    drop(breaker.admit(Purpose::Probe));
    assert_eq!(breaker.admit(Purpose::Call).err(), Some(second));
    clock.advance(29 * second);
    assert!(breaker.check().is_err());
    clock.advance(second);
    // Nobody has probed it in all the time: a caller finds out.
    let mut caller = admit(&breaker);
    assert!(breaker.check().is_err());
    caller.answered();
    assert_eq!(breaker.state(), BreakerState::Closed);
    assert_eq!(breaker.check(), Ok(()));
}
