//! A text that comes in pieces: what has gone on is remembered for a while, what may be the beginning of a
//! secret waits.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_trait::async_trait;
use systemprompt_core::content::{ContentFinding, StreamOrigin};
use systemprompt_core::contract::InspectStream;
use systemprompt_core::decision::DenialReason;
use systemprompt_core::policy::SecretAction;

use super::Governor;
use super::in_force::InForce;
use super::inspect::told;
use super::secrets::{Done, Noted};

/// Bytes that have gone on and are still looked at together with what comes.
const LOOK_BACK: usize = 4 * 1024;

/// Bytes without a break that wait; of more, the last [`LOOK_BACK`] do.
const MOST_HELD: usize = 2 * LOOK_BACK;

/// Bytes before what waits that are looked at with every piece: more than any name reaches to its value, and than
/// the longest value. What is longer than both, such as a key block, is found by a look at all that is remembered.
const NEAR: usize = 1024;

/// After so many bytes all that is remembered is looked at.
const ALL_AFTER: usize = 512;

/// A text on its way in pieces, looked through by the policy that was in force when it began.
///
/// A piece goes on as far as its last break (a space, a quote, a bracket): what stands behind it may be the
/// beginning of a secret. A secret with breaks inside, such as a key block or letters set apart, is stopped
/// before its end.
pub struct SecretStream {
    governor: Governor,
    in_force: Arc<InForce>,
    origin: StreamOrigin,
    /// What has gone on, as it came, and what waits behind it.
    window: String,
    /// Where what waits begins.
    base: usize,
    /// The last stretch that something else was put in the place of.
    replaced: Range<usize>,
    /// Bytes that came after all that is remembered was looked at.
    unlooked: usize,
    /// Why nothing goes on any more.
    stopped: Option<DenialReason>,
}

/// What one look at the window came to.
#[derive(Default)]
struct Look {
    released: String,
    noted: Vec<Noted>,
    denial: Option<DenialReason>,
}

impl SecretStream {
    pub(super) fn new(governor: Governor, origin: StreamOrigin) -> Self {
        let in_force = governor.0.current.load();
        Self {
            governor,
            in_force,
            origin,
            window: String::new(),
            base: 0,
            replaced: 0..0,
            unlooked: 0,
            stopped: None,
        }
    }

    async fn go_on(&mut self, last: bool) -> Result<String, DenialReason> {
        if let Some(reason) = &self.stopped {
            return Err(reason.clone());
        }
        if !self.in_force.policy.looks_for_secrets() {
            self.base = 0;
            return Ok(std::mem::take(&mut self.window));
        }
        let end = if last { self.window.len() } else { self.break_before_end() };
        if end <= self.base {
            return Ok(String::new());
        }
        let look = catch_unwind(AssertUnwindSafe(|| self.look(end, last)));
        let failed = || Look {
            denial: Some(DenialReason::CheckFailed { check: "secret".into() }),
            ..Look::default()
        };
        let Look { released, noted, denial } = look.unwrap_or_else(|_| failed());
        let findings: Vec<_> = noted.into_iter().filter_map(told).collect();
        let recorded = findings.is_empty() || self.record(&findings, denial.is_some()).await;
        self.stopped = denial.or((!recorded).then_some(DenialReason::AuditUnavailable));
        match &self.stopped {
            Some(reason) => Err(reason.clone()),
            None => Ok(released),
        }
    }

    async fn record(&self, findings: &[ContentFinding], withheld: bool) -> bool {
        let inner = &*self.governor.0;
        let event = catch_unwind(AssertUnwindSafe(|| {
            inner.found_event(&self.in_force, self.origin.lent(), findings, withheld)
        }));
        inner.append(event).await
    }

    /// Where the last run without a break begins, or so much of it as waits.
    fn break_before_end(&self) -> usize {
        let held = self.window.get(self.base..).unwrap_or_default();
        let run = held.rfind(is_break).map_or(0, |at| at + char_len(held, at));
        if held.len() - run <= MOST_HELD {
            return self.base + run;
        }
        self.window.floor_char_boundary(self.window.len() - LOOK_BACK)
    }

    /// Looks at the window and takes from it what goes on, which ends at `end` at the latest.
    fn look(&mut self, mut end: usize, last: bool) -> Look {
        let mut look = Look::default();
        let mut edits: Vec<(Range<usize>, String)> = Vec::new();
        let treatment = self.governor.0.treatment(&self.in_force, self.origin.lent());
        let from = if last { 0 } else { self.looked_from() };
        if from == 0 {
            self.unlooked = 0;
        }
        for spot in treatment.in_text(self.window.get(from..).unwrap_or_default()) {
            let (base, span) = (self.base, spot.span.start + from..spot.span.end + from);
            if span.end <= base || span.start >= end {
                continue;
            }
            // It goes on behind what is to go on: it waits with the rest, but not for ever.
            if span.end > end && !last && self.window.len() - span.start.max(base) <= MOST_HELD {
                end = span.start.max(base);
                continue;
            }
            end = end.max(span.end);
            let begun = self.replaced.start < span.end && span.start < self.replaced.end;
            let Noted { finding, done } = &spot.noted;
            if *done == Done::Act(SecretAction::Deny) {
                look.denial = Some(super::secrets::reason(finding));
            }
            if let Some(text) = spot.replacement {
                let text = match (begun, span.start < base) {
                    (true, _) => String::new(),
                    // What has gone on cannot be part of a handle.
                    (false, true) => format!("[redacted:{}]", finding.rule),
                    (false, false) => text,
                };
                edits.push((span.start.max(base)..span.end, text));
            }
            look.noted.push(spot.noted);
            if look.denial.is_some() {
                return look;
            }
        }
        edits.retain(|(span, _)| span.end <= end);
        look.released = self.release(end, &edits);
        look
    }

    /// Where a look begins: behind a break, for the rest of a run would look like a run of its own. What was replaced
    /// may go on, so that its beginning is looked at for as long as it is remembered.
    fn looked_from(&self) -> usize {
        if self.unlooked >= ALL_AFTER || !self.replaced.is_empty() || self.base <= NEAR {
            return 0;
        }
        let near = self.window.floor_char_boundary(self.base - NEAR);
        let behind = self.window.get(near..self.base).unwrap_or_default();
        behind.find(is_break).map_or(0, |at| near + at)
    }

    /// What stands between the base and `end`, with the edits made; forgets what is no longer needed.
    fn release(&mut self, end: usize, edits: &[(Range<usize>, String)]) -> String {
        let mut released = String::with_capacity(end - self.base);
        let mut at = self.base;
        for (span, text) in edits {
            released.push_str(self.window.get(at..span.start).unwrap_or_default());
            released.push_str(text);
            at = at.max(span.end);
            self.replaced = span.clone();
        }
        released.push_str(self.window.get(at..end).unwrap_or_default());
        self.base = end;
        let forgotten = self.window.floor_char_boundary(end.saturating_sub(LOOK_BACK));
        // In the middle of a run, its rest would look like a run of its own.
        let behind = self.window.get(forgotten..end).unwrap_or_default();
        let run = behind.find(is_break).filter(|_| forgotten > 0).unwrap_or(0);
        let forgotten = forgotten + run;
        self.window.drain(..forgotten);
        self.base -= forgotten;
        let shifted = |at: usize| at.saturating_sub(forgotten);
        self.replaced = shifted(self.replaced.start)..shifted(self.replaced.end);
        released
    }
}

/// Whether a character ends every token.
fn is_break(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '"' | '\'' | '`' | ',' | '{' | '}' | '[' | ']' | '(' | ')' | '<' | '>' | '|'
        )
}

fn char_len(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
}

#[async_trait]
impl InspectStream for SecretStream {
    async fn push(&mut self, piece: &str) -> Result<String, DenialReason> {
        self.window.push_str(piece);
        self.unlooked += piece.len();
        self.go_on(false).await
    }

    async fn finish(&mut self) -> Result<String, DenialReason> {
        self.go_on(true).await
    }
}

impl std::fmt::Debug for SecretStream {
    /// The sizes only.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretStream")
            .field("seen", &self.base)
            .field("held", &(self.window.len() - self.base))
            .finish_non_exhaustive()
    }
}
