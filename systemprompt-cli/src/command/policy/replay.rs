//! `policy replay`: what another policy would have decided.

use std::sync::Arc;

use serde_json::json;
use systemprompt_core::config::load_policy;
use systemprompt_governance::replay::{Direction, Replay, ReplayReport};
use systemprompt_governance::{KnownIds, Policy};

use super::decisions::{self, Met, Span};
use super::report;
use crate::args::{FailOn, ReplayArgs};
use crate::failure::{Failure, FailureKind};
use crate::output::Output;
use crate::policy;
use crate::session::Session;

/// Exit code when a decision changes in a way that was named.
const CHANGED: u8 = 30;

/// Exit code when a decision cannot be made again.
const UNDECIDED: u8 = 31;

pub(super) async fn run(
    args: &ReplayArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let policy = Arc::new(candidate(args, session)?);
    let span = Span::of(&args.since, args.until.as_deref(), session.clock.now())?;
    let rules = policy::scanner(session)?.rules().clone();
    let mut replay = Replay::new(policy.clone(), rules);
    // Limits remember what was decided before.
    let all = Span { from: span.from.before(replay.memory()), ..span };
    let mut report = ReplayReport::default();
    let mut unreadable = 0_u64;
    let reader = session.reader()?;
    decisions::all(&reader, all, |met| match met {
        Met::Started(origin) => replay.restarted(origin),
        Met::Unreadable => unreadable += 1,
        Met::Decision(event) => match decisions::recorded(event) {
            None => unreadable += 1,
            Some(recorded) => {
                let replayed = replay.decide(&recorded);
                if recorded.occurred_at >= span.from {
                    report.add(&recorded, &replayed);
                }
            }
        },
    })
    .await?;
    if unreadable > 0 {
        report.unreadable(unreadable);
    }
    if output.is_json() {
        output.value(&json!({
            "policy_version": policy.version(),
            "from": span.from,
            "to": span.to,
            "report": report,
        }))?;
    } else {
        let title = format!("policy {} held against", policy.version());
        output.text(&report::draw(&title, &report, span))?;
    }
    verdict(args, &report)
}

/// The policy to decide by, compiled as a server would.
fn candidate(args: &ReplayArgs, session: &Session) -> Result<Policy, Failure> {
    let loaded =
        load_policy(&args.policy, session.config.environment()).map_err(Failure::config)?;
    let checks = policy::checks(session)?;
    let checks = checks.iter().map(|check| check.id().into());
    let known = KnownIds::new(checks, &policy::scanner(session)?);
    Policy::compile(&loaded.document, &known)
        .map_err(|faults| Failure::config(loaded.error(&faults)))
}

fn verdict(args: &ReplayArgs, report: &ReplayReport) -> Result<(), Failure> {
    let count = |direction| report.changes(direction).total;
    let (denied, allowed) = (count(Direction::AllowToDeny), count(Direction::DenyToAllow));
    let changed = match args.fail_on {
        None => 0,
        Some(FailOn::AllowToDeny) => denied,
        Some(FailOn::DenyToAllow) => allowed,
        Some(FailOn::Any) => denied + allowed,
    };
    if changed > 0 {
        let message = format!("{changed} decisions would change in a way that --fail-on names");
        return Err(Failure::new(FailureKind::Found(CHANGED), message));
    }
    let undecided = report.undecided.total;
    if args.fail_on_undecided && undecided > 0 {
        let message = format!("{undecided} decisions cannot be made again");
        return Err(Failure::new(FailureKind::Found(UNDECIDED), message));
    }
    Ok(())
}
