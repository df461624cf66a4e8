//! `audit erase`, `audit prune`, `audit rewrap`.

use serde_json::json;
use systemprompt_audit::retention::{Retention, plan, prune as prune_events};
use systemprompt_audit::subject::{Erasure, erase_subject, pseudonyms_of, rewrap_keys};

use crate::args::{EraseArgs, PruneArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

pub(super) async fn erase(
    args: &EraseArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let EraseArgs { subject: user, tenant, by, yes } = args;
    let tenant = tenant.as_deref();
    if by.contains(user.as_str()) {
        return Err(Failure::usage("`--by` must not name the person that is erased"));
    }
    if !yes {
        let known = pseudonyms_of(&session.database, user, tenant).await;
        let known = known.map_err(Failure::database)?.len();
        return Err(Failure::usage(format!(
            "this would destroy {known} keys of `{user}` and cannot be undone; repeat it with `--yes`"
        )));
    }
    let erasure = Erasure { user, tenant, by };
    let erased = erase_subject(&session.database, &erasure, session.clock.now()).await;
    let erased = erased.map_err(Failure::database)?;
    if output.is_json() {
        return output.value(&json!({
            "pseudonyms": erased.pseudonyms,
            "in_clear": erased.in_clear,
            "traces_removed": erased.traces_removed,
        }));
    }
    if erased.in_clear > 0 {
        output.note(&format!(
            "{} events were recorded before encryption was turned on and name the user in clear; they stay \
             until retention removes them",
            erased.in_clear
        ));
    }
    if !erased.traces_removed {
        output.note(
            "the keys are deleted, but traces of them may still be in the files of the database: somebody was \
             reading it, or it is not yours to clean up; see docs/erasure-and-retention.md",
        );
    }
    match erased.pseudonyms.as_slice() {
        [] => output.text("nothing is encrypted of this user\n"),
        names => output.text(&format!("erased; the events stand under {}\n", names.join(", "))),
    }
}

pub(super) async fn prune(
    args: &PruneArgs,
    session: &Session,
    output: Output,
) -> Result<(), Failure> {
    let retention = retention(args, session)?;
    let now = session.clock.now();
    let mut events = Vec::new();
    if args.dry_run {
        let plans = plan(&session.database, &retention, now).await.map_err(Failure::database)?;
        let count = |from: i64, up_to: i64| u64::try_from(up_to - from + 1).unwrap_or_default();
        events.extend(plans.into_iter().map(|it| (it.origin, it.up_to, count(it.from, it.up_to))));
    } else {
        let pruned = prune_events(&session.database, None, &retention, &args.by, now).await;
        let pruned = pruned.map_err(Failure::database)?;
        events.extend(pruned.into_iter().map(|it| (it.origin, it.up_to, it.events)));
    }
    if output.is_json() {
        let item = |(origin, up_to, events): &(String, i64, u64)| json!({ "origin": origin, "up_to": up_to, "events": events });
        let logs: Vec<_> = events.iter().map(item).collect();
        return output.value(&json!({ "dry_run": args.dry_run, "logs": logs }));
    }
    if events.is_empty() {
        return output.text("there is nothing to prune\n");
    }
    let word = if args.dry_run { "would be" } else { "were" };
    for (origin, up_to, events) in events {
        output.text(&format!("{origin}: {events} events up to {up_to} {word} removed\n"))?;
    }
    Ok(())
}

/// What the options say, or else the profile.
fn retention(args: &PruneArgs, session: &Session) -> Result<Retention, Failure> {
    let (age, size) = (args.age.map(|age| age.get()), args.size.map(|size| size.get()));
    let configured = systemprompt_runtime::retention(&session.config);
    if age.is_none() && size.is_none() {
        return configured.ok_or_else(|| {
            Failure::usage(
                "the profile keeps events for ever; set `audit.retention`, or give `--age` or `--size`",
            )
        });
    }
    let sinks = &session.config.profile().export.sinks;
    Ok(Retention { age, size, sinks: sinks.iter().map(|sink| sink.id.clone()).collect() })
}

pub(super) async fn rewrap(session: &Session, output: Output) -> Result<(), Failure> {
    let keys = session.subject_keys()?.ok_or_else(|| {
        Failure::usage(
            "the profile has no `audit.encryption`, so that there is nothing to encrypt anew",
        )
    })?;
    let done = rewrap_keys(&session.database, &keys).await.map_err(Failure::database)?;
    if output.is_json() {
        return output.value(&json!({ "keys": done.keys, "left": done.left }));
    }
    output.text(&format!("{} keys were encrypted anew\n", done.keys))
}
