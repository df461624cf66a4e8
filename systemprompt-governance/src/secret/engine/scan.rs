use std::ops::{ControlFlow, Range};

use super::hints::Hints;
use super::{Engine, Hit, MAX_SECRET};
use crate::secret::cue::Cue;
use crate::secret::name::{self, MAX_NAME, Named};
use crate::secret::rule::Lead;
use crate::secret::skim::{Runs, has_digit, is_token};
use crate::secret::value::{Value, first_part, is_by_words, is_candidate};
use crate::secret::{Confidence, mnemonic, structure};

/// In a text this short it pays to look for the joints first that every cue needs.
const SHORT_TEXT: usize = 64;

/// How far before a run its literal may start, as in `AccountKey=` or `dp.st.`.
const LITERAL_REACH: usize = 48;

/// So many bytes of base64 without a break are an encoded file: what follows in it is no word of its own.
const BLOB: usize = 96;

/// Fewest token bytes of a value that is known by a vendor near it.
const MIN_NEAR: usize = 16;

/// What following a cue to a structure costs, in bytes.
const STRUCTURE_COST: usize = 48;

/// What a longer search for the rest of a structure costs, in bytes.
const SEARCH_COST: usize = 512;

/// What following a cue to a name costs, in bytes.
const CUE_COST: usize = 24;

/// How much more a pattern costs for a byte that it looks at in vain than one that it matches.
const VAIN: usize = 8;

/// What the judgement of a name costs, in bytes.
const JUDGEMENT_COST: usize = 128;

/// Fewest bytes of a run that may be encoded.
const MIN_ENCODED: usize = 16;

/// Which rules count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All.
    All,
    /// Those of formats: chance may have put the text together.
    Formats,
}

/// One pass over one text.
pub(super) struct Scan<'s> {
    engine: &'s Engine,
    bytes: &'s [u8],
    scope: Scope,
    hits: &'s mut Vec<Hit>,
    /// The runs that may be encoded.
    encoded: &'s mut Vec<Range<usize>>,
    /// Bytes the patterns may still look at.
    budget: usize,
    /// The last match of a literal rule: nothing inside it is tried again.
    literal: Range<usize>,
    /// The words for secrets that stand before values.
    hints: Hints,
}

impl<'s> Scan<'s> {
    pub(super) fn new(
        engine: &'s Engine,
        bytes: &'s [u8],
        scope: Scope,
        hits: &'s mut Vec<Hit>,
        encoded: &'s mut Vec<Range<usize>>,
        budget: usize,
    ) -> Self {
        Self { engine, bytes, scope, hits, encoded, budget, literal: 0..0, hints: Hints::default() }
    }

    pub(super) fn run(&mut self) {
        if self.scope == Scope::All {
            self.cues();
            self.phrase();
        }
        self.runs();
        if self.budget == 0 {
            self.push(self.engine.structures.scan_budget, 0..self.bytes.len(), Confidence::Medium);
        }
    }

    fn runs(&mut self) {
        let engine = self.engine;
        let bytes = self.bytes;
        let (mut done, mut long) = (0, false);
        for run in Runs::new(bytes) {
            // Who made the patterns work that hard is reported; what else there is does not matter.
            if self.budget == 0 {
                return;
            }
            let from = self.reach(run.start).max(done);
            engine.anchors.find(bytes, from, &run, &mut |at, rule| {
                self.literal(at, rule, run.end);
                self.budget > 0
            });
            if run.len() >= MIN_ENCODED {
                self.encoded.push(run.clone());
            }
            // A name is not as long as a line of base 64.
            let unnamed = long && run.start == done + 1;
            if self.scope == Scope::All && !unnamed && bytes.get(run.clone()).is_some_and(has_digit)
            {
                self.context(run.start, run.len());
            }
            (done, long) = (run.end, run.len() > MAX_NAME);
            if bytes.get(run.end) == Some(&b'.')
                && let Some(span) = structure::discord_token(bytes, &run)
            {
                self.push(engine.structures.discord_bot, span, Confidence::High);
            }
        }
    }

    /// Where the first literal of the run at `start` may begin.
    fn reach(&self, start: usize) -> usize {
        let before = self.bytes.get(start.saturating_sub(LITERAL_REACH)..start).unwrap_or_default();
        let joined = |byte: &&u8| {
            is_token(**byte) || matches!(byte, b'.' | b'=' | b':' | b'$' | b'~' | b',')
        };
        start - before.iter().rev().take_while(joined).count()
    }

    /// Tries the rule whose literal stands at `at`, in or before a run that ends at `run_end`.
    fn literal(&mut self, at: usize, index: usize, run_end: usize) {
        let Some(compiled) = self.engine.rules.get(index) else { return };
        let rule = &compiled.rule;
        let Some(start) = self.lead(at, rule.lead) else { return };
        let inside = start > self.literal.start && start < self.literal.end;
        if inside || self.budget == 0 || (rule.word && self.preceded(start)) {
            return;
        }
        let end = compiled.end(self.bytes, start);
        // A pattern that does not match has looked at the rest of the run at most.
        let looked = run_end.min(start + MAX_SECRET).saturating_sub(start);
        self.spend(end.map_or(looked * VAIN, |end| end - start));
        let Some(end) = end else { return };
        let Some(secret) = self.bytes.get(start..end) else { return };
        // What stands before the literal is as variable as what stands after it.
        let fixed = if at == start { compiled.literal_len(secret) } else { 0 };
        let variable = secret.get(fixed..).unwrap_or_default();
        let goes_on = rule.closed && self.bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
        if goes_on || !compiled.is_varied(variable) {
            return;
        }
        // A form that is certain, such as that of a canary, is no chance.
        let vague = self.scope == Scope::Formats && rule.confidence < Confidence::Certain;
        if vague && is_by_words(variable) {
            return;
        }
        let Some(confidence) = rule.confidence(secret) else { return };
        self.literal = start..end;
        self.push(Some(index), start..end, confidence);
    }

    fn spend(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_sub(bytes);
    }

    fn lead(&self, at: usize, lead: Lead) -> Option<usize> {
        match lead {
            Lead::Bytes(bytes) => at.checked_sub(bytes),
            Lead::Digits => {
                let before = self.bytes.get(at.saturating_sub(12)..at)?;
                Some(at - before.iter().rev().take_while(|byte| byte.is_ascii_digit()).count())
            }
        }
    }

    fn preceded(&self, start: usize) -> bool {
        let before = self.bytes.get(start.saturating_sub(BLOB)..start).unwrap_or_default();
        let escape = matches!(before, [.., b'\\', b'n' | b'r' | b't']);
        let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        match before.last() {
            Some(byte) if byte.is_ascii_alphanumeric() => !escape,
            Some(b'+' | b'/') => before.len() == BLOB && before.iter().all(base64),
            _ => false,
        }
    }

    /// Judges the value that begins with the `length` token bytes at `start` by the name in front of it.
    fn context(&mut self, start: usize, length: usize) {
        let start = first_part(self.bytes, start);
        // A value begins after a quote, a space or the joint itself.
        let joint = start.checked_sub(1).and_then(|before| self.bytes.get(before));
        if !joint.is_some_and(|byte| b"\"'` =:>\t\\\n(|".contains(byte)) {
            return;
        }
        // Without such a word nothing more can be found.
        if !self.hints.are_before(self.bytes, start) {
            return;
        }
        let named = name::before(self.bytes, start);
        let about = named.as_ref().is_some_and(|name| name::is_about(self.bytes, name));
        let found = named.is_some_and(|name| self.assigned(name, start));
        if !found && !about && length >= MIN_NEAR {
            self.near(start);
        }
    }

    /// Judges the value at `start` by a vendor that is named shortly before it, together with a word for
    /// secrets.
    fn near(&mut self, start: usize) {
        let before = name::vicinity(self.bytes, start);
        if self.budget == 0 || !name::may_hold_secret(before) {
            return;
        }
        let Value { span, .. } = Value::at(self.bytes, start);
        self.spend(JUDGEMENT_COST + span.len());
        let Some(value) = self.bytes.get(span.clone()) else { return };
        let owner = self.engine.owner(&name::normalised(before), value, true);
        self.push(owner, span, Confidence::Medium);
    }

    /// Judges the value at `start` by its name; `true` when it is a secret.
    fn assigned(&mut self, name: Named, start: usize) -> bool {
        if self.budget == 0 || !self.bytes.get(name.span.clone()).is_some_and(name::may_hold_secret)
        {
            return false;
        }
        let value = Value::at(self.bytes, start);
        self.spend(JUDGEMENT_COST + value.span.len());
        let hit = self.engine.assigned(self.bytes, name, value);
        let found = hit.is_some();
        self.hits.extend(hit);
        found
    }

    fn cues(&mut self) {
        let engine = self.engine;
        if self.bytes.len() <= SHORT_TEXT && !self.bytes.iter().any(|byte| b" =:>(|".contains(byte))
        {
            return;
        }
        let searched = engine.cues.find(self.bytes, |cue, start, end| {
            let next = self.cue(cue, start, end);
            match self.budget {
                0 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(next),
            }
        });
        if !searched {
            self.budget = 0;
        }
    }

    /// Follows a cue; returns where the next one may start.
    fn cue(&mut self, cue: Cue, start: usize, end: usize) -> usize {
        let (bytes, structures) = (self.bytes, &self.engine.structures);
        let (rule, span) = match cue {
            Cue::Url => (structures.url_credentials, structure::url_password(bytes, end)),
            Cue::Armour => (structures.private_key, structure::private_key(bytes, end)),
            Cue::Putty => (structures.private_key, structure::putty_key(bytes, start)),
            Cue::Bearer => (structures.authorization, structure::bearer_token(bytes, end)),
            Cue::Basic => (structures.basic_auth, structure::basic_credentials(bytes, end)),
            Cue::Client => (structures.command, structure::user_password(bytes, end)),
            Cue::Prompter => (structures.command, structure::typed_password(bytes, end)),
            Cue::Database => (structures.command, structure::attached_password(bytes, end)),
            Cue::Name => return self.named(start),
            Cue::Phrase => {
                self.spend(STRUCTURE_COST);
                let Some((span, proven)) = mnemonic::announced(bytes, end) else { return 0 };
                let sure = if proven { Confidence::Certain } else { Confidence::Medium };
                self.push(structures.mnemonic, span, sure);
                return 0;
            }
        };
        self.spend(if cue == Cue::Putty { SEARCH_COST } else { STRUCTURE_COST });
        let Some(span) = span else { return 0 };
        let end = span.end;
        self.push(rule, span, Confidence::High);
        end
    }

    /// A short text may be a phrase without a word about it, which its checksum then proves.
    fn phrase(&mut self) {
        if mnemonic::TEXT.contains(&self.bytes.len())
            && let Some(span) = mnemonic::bare(self.bytes)
        {
            self.push(self.engine.structures.mnemonic, span, Confidence::Certain);
        }
    }

    /// Judges what follows a name such as `db_password`, of which a part stands at `at`; returns where the
    /// name ends.
    fn named(&mut self, at: usize) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let part = |byte: &&u8| is_token(**byte) && !matches!(byte, b'+' | b'/') || **byte == b'.';
        let name_end = at + rest.iter().take(MAX_NAME).take_while(part).count();
        let after = self.bytes.get(name_end..).unwrap_or_default();
        let length = match after {
            [b'=', next, ..] if next.is_ascii_alphanumeric() => 1,
            _ => name::joint_len(after.get(..after.len().min(64)).unwrap_or_default()),
        };
        let value = name_end + length;
        if length == 0 {
            return name_end;
        }
        self.spend(CUE_COST);
        // Most of what follows cannot be a secret, whatever the name says.
        let Value { span, .. } = Value::at(self.bytes, value);
        if !self.bytes.get(span).is_some_and(is_candidate) {
            return name_end;
        }
        if let Some(name) = name::before(self.bytes, value) {
            self.assigned(name, value);
        }
        name_end
    }

    fn push(&mut self, rule: Option<usize>, span: Range<usize>, confidence: Confidence) {
        if let Some(rule) = rule {
            self.hits.push(Hit::plain(rule, span, confidence));
        }
    }
}
