//! `policy shadow`: what the shadow policies would have decided differently.

use std::collections::BTreeMap;

use serde_json::json;
use systemprompt_core::event::Verdict;
use systemprompt_governance::replay::{Change, Direction, ReplayReport};

use super::decisions::{self, Met, Span};
use super::report;
use crate::args::ShadowArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

/// A shadow, by its id and the version of its policy.
type Shadow = (String, String);

pub(super) async fn run(
    args: &ShadowArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let span = Span::of(&args.since, args.until.as_deref(), session.clock.now())?;
    let reader = session.reader()?;
    let mut reports: BTreeMap<Shadow, ReplayReport> = BTreeMap::new();
    let mut decisions = 0_u64;
    decisions::all(&reader, span, |met| {
        let Met::Decision(event) = met else { return };
        decisions += 1;
        let Some(features) = decisions::features(event).filter(|it| !it.shadow.is_empty()) else {
            return;
        };
        let Some(recorded) = decisions::recorded(event) else { return };
        for shadow in features.shadow {
            if args.id.as_ref().is_some_and(|id| **id != *shadow.id) {
                continue;
            }
            let then = recorded.grounds().to_string();
            let (direction, rule) = match shadow.decision {
                Verdict::Allow => (Direction::DenyToAllow, then),
                _ => (Direction::AllowToDeny, shadow.by.unwrap_or_default()),
            };
            let (tool, user) = (recorded.qualified_tool(), recorded.qualified_user());
            let event = recorded.id;
            let change = Change { direction, rule: &rule, tool: &tool, user: &user, event };
            let key = (shadow.id.to_string(), shadow.policy_version);
            reports.entry(key).or_default().count(change);
        }
    })
    .await?;
    if output.is_json() {
        let shadows = reports.iter().map(|((id, policy_version), report)| {
            json!({
                "id": id,
                "policy_version": policy_version,
                "allow_to_deny": report.allow_to_deny,
                "deny_to_allow": report.deny_to_allow,
            })
        });
        return output.value(&json!({
            "from": span.from,
            "to": span.to,
            "decisions": decisions,
            "shadows": shadows.collect::<Vec<_>>(),
        }));
    }
    if reports.is_empty() {
        let text = format!("{decisions} decisions, and no shadow policy that differs\n");
        return output.text(&text);
    }
    for ((id, version), report) in &reports {
        let title = format!("shadow {id} ({version}) held against {decisions} decisions");
        output.text(&report::draw_changes(&title, report))?;
    }
    Ok(())
}
