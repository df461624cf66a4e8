//! `audit tail`: the newest events, and those that come.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use systemprompt_audit::{
    AuditReader, EventFilter, EventRecord, FollowedEvent, Follower, LogHeads, QueryError,
};

use super::{SCOPE, filter, line, page_size};
use crate::args::TailArgs;
use crate::failure::{Failure, FailureKind};
use crate::output::Output;
use crate::session::Session;

/// How many events a tail begins with unless told otherwise.
const USUAL: u32 = 20;

/// How often the log is looked at.
const POLL: Duration = Duration::from_millis(250);

pub(super) async fn run(
    args: &TailArgs,
    session: &Session,
    reader: &AuditReader,
    output: Output,
) -> Result<(), Failure> {
    let filter = filter(&args.filter, args.kind.as_deref(), session.clock.now())?;
    let path = session.config.profile().database.url.path();
    let file = path.and_then(Identity::of);
    let position = match (args.lines, filter.from) {
        (None, Some(from)) => reader.position_before(from).await.map_err(Failure::database)?,
        (lines, _) => {
            // First the end and then what is before it, so that nothing falls between.
            let heads = reader.heads().await.map_err(Failure::database)?;
            let newest = newest(lines.unwrap_or(USUAL), &filter, &heads, reader).await?;
            let lines: Result<String, _> =
                newest.iter().rev().map(|event| line(event, output)).collect();
            if !output.text_if_read(&lines?)? {
                return Ok(());
            }
            heads.position()
        }
    };
    let mut follower = Follower::new(reader.clone(), SCOPE, filter, position);
    if args.follow {
        return follow(&mut follower, (path, file), output).await;
    }
    if args.lines.is_some() || args.filter.from.is_none() {
        return Ok(());
    }
    // What `--from` asks for, as far as it is there.
    loop {
        let followed = follower.next().await.map_err(Failure::database)?;
        if !print(&followed.events, output)? || !followed.more {
            return Ok(());
        }
    }
}

/// The newest `count` events that `heads` include, the newest first.
async fn newest(
    count: u32,
    filter: &EventFilter,
    heads: &LogHeads,
    reader: &AuditReader,
) -> Result<Vec<EventRecord>, Failure> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut newest = Vec::new();
    let mut cursor = None;
    while newest.len() < count {
        let size = page_size(u32::try_from(count - newest.len()).unwrap_or(u32::MAX).min(1000))?;
        let page = reader.events(&SCOPE, filter, cursor.as_ref(), size).await;
        let page = page.map_err(Failure::database)?;
        newest.extend(page.items.into_iter().filter(|event| heads.include(event)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(newest)
}

/// Prints what comes, until nobody reads it. A log that cannot be read for a while is waited for.
async fn follow(
    follower: &mut Follower,
    (path, file): (Option<&Path>, Option<Identity>),
    output: Output,
) -> Result<(), Failure> {
    let mut troubled = false;
    loop {
        match follower.next().await {
            Ok(followed) => {
                if troubled {
                    output.note("the log can be read again");
                    troubled = false;
                }
                if !print(&followed.events, output)? {
                    return Ok(());
                }
                if followed.more {
                    continue;
                }
            }
            Err(error) if !troubled => {
                output.note(&format!("{}; trying again", said(&error)));
                troubled = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(POLL).await;
        // A server that starts again has the same file; in another one nothing would ever come.
        let now = path.and_then(Identity::of);
        if now.is_some() && file.is_some() && now != file {
            return Err(Failure::new(
                FailureKind::Database,
                "the database was replaced by another one; start again to follow that",
            ));
        }
    }
}

fn said(error: &QueryError) -> String {
    match error {
        QueryError::Database(cause) => format!("{error}: {cause}"),
        _ => error.to_string(),
    }
}

/// One line per event; `false` when nobody reads any more.
fn print(events: &[FollowedEvent], output: Output) -> Result<bool, Failure> {
    if events.is_empty() {
        return Ok(true);
    }
    let lines: Result<String, _> = events
        .iter()
        .map(|event| match &event.event {
            Some(record) => line(record, output),
            None => Ok(unreadable(event, output)),
        })
        .collect();
    output.text_if_read(&lines?)
}

fn unreadable(event: &FollowedEvent, output: Output) -> String {
    let FollowedEvent { origin, seq, .. } = event;
    match output.is_json() {
        true => json!({ "unreadable": { "origin": origin, "seq": seq } }).to_string() + "\n",
        false => format!("event {seq} of the log {origin} cannot be read\n"),
    }
}

/// By what a file is told from another one in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        fs::metadata(path).ok().map(|metadata| Self(metadata.dev(), metadata.ino()))
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|_| Self(0, 0))
    }
}
