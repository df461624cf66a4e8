use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::anchors::{Anchors, Literal};
use super::cue::{Cue, Cues};
use super::name::Named;
use super::rule::{Lead, Rule, Trigger};
use super::skim::{Runs, has_digit, is_token};
use super::value::{Value, distinct, is_blank};
use super::{Confidence, name, rules, structure};

/// Fewest bytes a text with a secret has.
const MIN_TEXT: usize = 8;

/// In a text this short it pays to look for the joints first that every cue needs.
const SHORT_TEXT: usize = 64;

/// How far before a run its literal may start, as in `AccountKey=` or `dp.st.`.
const LITERAL_REACH: usize = 48;

/// Longest secret a pattern may match.
const MAX_SECRET: usize = 4096;

/// What the judgement of a name costs, in bytes.
const JUDGEMENT_COST: usize = 128;

/// Bytes the patterns may look at for each byte of text; benign text stays far below one.
const BUDGET_FACTOR: usize = 16;

/// Bytes the patterns may look at in any text, however short.
const BUDGET_FLOOR: usize = 64 * 1024;

/// A place where a rule found a secret.
pub(super) struct Hit {
    /// Position of the rule in the engine.
    pub(super) rule: usize,
    pub(super) span: Range<usize>,
    pub(super) confidence: Confidence,
}

impl Hit {
    /// First by place; at one place the surer and then the earlier rule.
    pub(super) fn order(&self) -> (usize, std::cmp::Reverse<Confidence>, usize) {
        (self.span.start, std::cmp::Reverse(self.confidence), self.rule)
    }
}

/// The compiled rules.
pub(super) struct Engine {
    rules: Vec<Compiled>,
    anchors: Anchors,
    cues: Cues,
    named: Vec<usize>,
    structures: Structures,
    /// Stands in where there is no rule, which a hit never has.
    unknown: Arc<str>,
}

struct Compiled {
    rule: &'static Rule,
    id: Arc<str>,
    vendor: Arc<str>,
    /// Built when first needed: most processes meet a few of the formats only.
    pattern: OnceLock<Option<Regex>>,
}

/// The positions of the rules with code of their own; `None` where disabled.
pub(super) struct Structures {
    private_key: Option<usize>,
    url_credentials: Option<usize>,
    authorization: Option<usize>,
    basic_auth: Option<usize>,
    discord_bot: Option<usize>,
    scan_budget: Option<usize>,
    pub(super) generic_secret: Option<usize>,
    pub(super) generic_password: Option<usize>,
}

impl Engine {
    pub(super) fn new(disabled: &BTreeSet<String>) -> Self {
        let rules: Vec<_> =
            rules::all().filter(|rule| !disabled.contains(rule.id)).map(Compiled::new).collect();
        let literals = rules.iter().enumerate().flat_map(|(index, compiled)| {
            let literals = match compiled.rule.trigger {
                Trigger::Literals(literals) => literals,
                Trigger::Names(_) | Trigger::Structure => &[],
            };
            let lead = match compiled.rule.lead {
                Lead::Bytes(bytes) => bytes,
                Lead::Digits => 0,
            };
            literals.iter().map(move |text| Literal { text, rule: index, lead })
        });
        let anchors = Anchors::new(literals);
        let named = (0..rules.len())
            .filter(|index| {
                rules.get(*index).is_some_and(|c| matches!(c.rule.trigger, Trigger::Names(_)))
            })
            .collect();
        let structures = Structures::new(&rules);
        Self { rules, anchors, cues: Cues::new(), named, structures, unknown: Arc::from("unknown") }
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn structures(&self) -> &Structures {
        &self.structures
    }

    /// Id and vendor of a rule.
    pub(super) fn describe(&self, rule: usize) -> (&Arc<str>, &Arc<str>) {
        let none = &self.unknown;
        self.rules.get(rule).map_or((none, none), |compiled| (&compiled.id, &compiled.vendor))
    }

    /// Whether there is any secret in `text`.
    pub(super) fn any(&self, text: &str) -> bool {
        let mut hits = Vec::new();
        self.hits(text, &mut hits);
        !hits.is_empty()
    }

    /// Adds every place of `text` with a secret to `hits`, in no order; one place may occur more than once.
    #[inline]
    pub(super) fn hits(&self, text: &str, hits: &mut Vec<Hit>) {
        if text.len() >= MIN_TEXT {
            let budget = text.len().saturating_mul(BUDGET_FACTOR).saturating_add(BUDGET_FLOOR);
            Scan { engine: self, bytes: text.as_bytes(), hits, budget, literal: 0..0 }.run();
        }
    }

    /// The first vendor rule for values named `name` whose pattern covers `value`.
    pub(super) fn named_rule(&self, name: &str, value: &[u8]) -> Option<usize> {
        self.named.iter().copied().find(|index| {
            self.rules.get(*index).is_some_and(|compiled| {
                let Trigger::Names(names) = compiled.rule.trigger else { return false };
                names.iter().any(|part| name.contains(part))
                    && distinct(value) >= compiled.rule.distinct
                    && compiled.end(value, 0) == Some(value.len())
            })
        })
    }
}

impl Compiled {
    fn new(rule: &'static Rule) -> Self {
        Self { rule, id: rule.id.into(), vendor: rule.vendor.into(), pattern: OnceLock::new() }
    }

    /// How long the literal is that a secret starts with.
    fn literal_len(&self, secret: &[u8]) -> usize {
        let Trigger::Literals(literals) = self.rule.trigger else { return 0 };
        let present = literals.iter().filter(|literal| secret.starts_with(literal.as_bytes()));
        present.map(|literal| literal.len()).max().unwrap_or(0)
    }

    /// Where the match that starts at `start` ends. A pattern that cannot be built matches everything.
    fn end(&self, bytes: &[u8], start: usize) -> Option<usize> {
        let limit = bytes.len().min(start + MAX_SECRET);
        match self.pattern.get_or_init(|| build(self.rule.pattern)) {
            Some(regex) => {
                let input = Input::new(bytes).range(start..limit).anchored(Anchored::Yes);
                regex.search(&input).map(|found| found.end())
            }
            None => Some(limit),
        }
    }
}

fn build(pattern: &str) -> Option<Regex> {
    let bytes = syntax::Config::new().unicode(false).utf8(false);
    Regex::builder()
        .configure(Regex::config().utf8_empty(false).hybrid_cache_capacity(256 * 1024))
        .syntax(bytes)
        .build(pattern)
        .ok()
}

impl Structures {
    fn new(rules: &[Compiled]) -> Self {
        let at = |id: &str| rules.iter().position(|compiled| compiled.rule.id == id);
        Self {
            private_key: at(rules::PRIVATE_KEY),
            url_credentials: at(rules::URL_CREDENTIALS),
            authorization: at(rules::AUTHORIZATION),
            basic_auth: at(rules::BASIC_AUTH),
            discord_bot: at(rules::DISCORD_BOT),
            scan_budget: at(rules::SCAN_BUDGET),
            generic_secret: at(rules::GENERIC_SECRET),
            generic_password: at(rules::GENERIC_PASSWORD),
        }
    }
}

/// One pass over one text.
struct Scan<'s> {
    engine: &'s Engine,
    bytes: &'s [u8],
    hits: &'s mut Vec<Hit>,
    /// Bytes the patterns may still look at.
    budget: usize,
    /// The last match of a literal rule: nothing inside it is tried again.
    literal: Range<usize>,
}

impl Scan<'_> {
    fn run(&mut self) {
        self.cues();
        self.runs();
        if self.budget == 0 {
            self.push(self.engine.structures.scan_budget, 0..self.bytes.len(), Confidence::Medium);
        }
    }

    fn runs(&mut self) {
        let engine = self.engine;
        let bytes = self.bytes;
        let mut done = 0;
        for run in Runs::new(bytes) {
            let from = self.reach(run.start).max(done);
            engine.anchors.find(bytes, from, &run, &mut |at, rule| self.literal(at, rule, run.end));
            done = run.end;
            if bytes.get(run.clone()).is_some_and(has_digit) {
                self.context(run.start);
            }
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
        let joined =
            |byte: &&u8| is_token(**byte) || matches!(byte, b'.' | b'=' | b':' | b'$' | b'~');
        start - before.iter().rev().take_while(joined).count()
    }

    /// Tries the rule whose literal stands at `at`, in or before a run that ends at `run_end`.
    fn literal(&mut self, at: usize, index: usize, run_end: usize) {
        let Some(compiled) = self.engine.rules.get(index) else { return };
        let rule = compiled.rule;
        let Some(start) = self.lead(at, rule.lead) else { return };
        let inside = start > self.literal.start && start < self.literal.end;
        if inside || self.budget == 0 || (rule.word && self.preceded(start)) {
            return;
        }
        let end = compiled.end(self.bytes, start);
        // A pattern that does not match has looked at the rest of the run at most.
        let looked = end.unwrap_or(run_end.min(start + MAX_SECRET));
        self.spend(looked.saturating_sub(start));
        let Some(end) = end else { return };
        let Some(secret) = self.bytes.get(start..end) else { return };
        // What stands before the literal is as variable as what stands after it.
        let fixed = if at == start { compiled.literal_len(secret) } else { 0 };
        let variable = secret.get(fixed..).unwrap_or_default();
        if rule.closed && self.bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)
            || rule.digit && !variable.iter().any(u8::is_ascii_digit)
            || distinct(variable) < rule.distinct
            || is_blank(variable)
        {
            return;
        }
        self.literal = start..end;
        self.push(Some(index), start..end, rule.checksum.confidence(secret));
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
        let before = self.bytes.get(start.saturating_sub(2)..start).unwrap_or_default();
        let escape = matches!(before, [b'\\', b'n' | b'r' | b't']);
        !escape && before.last().is_some_and(u8::is_ascii_alphanumeric)
    }

    /// Judges the value at `start` by the name in front of it.
    fn context(&mut self, start: usize) {
        // A value begins after a quote, a space or the joint itself.
        let joint = start.checked_sub(1).and_then(|before| self.bytes.get(before));
        if !joint.is_some_and(|byte| b"\"'` =:>\t\\".contains(byte)) {
            return;
        }
        if let Some(name) = name::before(self.bytes, start) {
            self.assigned(name, start);
        }
    }

    fn assigned(&mut self, name: Named, start: usize) {
        if self.budget == 0 || !self.bytes.get(name.span.clone()).is_some_and(name::may_hold_secret)
        {
            return;
        }
        let value = Value::at(self.bytes, start);
        self.spend(JUDGEMENT_COST + value.span.len());
        if let Some(hit) = self.engine.assigned(self.bytes, name, value) {
            self.hits.push(hit);
        }
    }

    fn cues(&mut self) {
        let engine = self.engine;
        if self.bytes.len() <= SHORT_TEXT && !self.bytes.iter().any(|byte| b" =:>".contains(byte)) {
            return;
        }
        let mut armour_end = 0;
        let searched = engine.cues.find(self.bytes, |cue, start, end| {
            if start >= armour_end {
                armour_end = armour_end.max(self.cue(cue, start, end));
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
            Cue::Armour => (structures.private_key, structure::private_key(bytes, start)),
            Cue::Putty => (structures.private_key, structure::putty_key(bytes, start)),
            Cue::Bearer => (structures.authorization, structure::bearer_token(bytes, end)),
            Cue::Basic => (structures.basic_auth, structure::basic_credentials(bytes, end)),
            Cue::Name => {
                self.named(start);
                return 0;
            }
        };
        let Some(span) = span else { return 0 };
        let end = span.end;
        self.push(rule, span, Confidence::High);
        end
    }

    /// Judges what follows a name such as `db_password`, of which a part stands at `at`.
    fn named(&mut self, at: usize) {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let part = |byte: &&u8| is_token(**byte) && !matches!(byte, b'+' | b'/') || **byte == b'.';
        let name_end = at + rest.iter().take(name::MAX_NAME).take_while(part).count();
        let after = self.bytes.get(name_end..).unwrap_or_default();
        let after = after.get(..after.len().min(16)).unwrap_or_default();
        let joint = b" \t\"'`\\=:>,]?!";
        let mut length = after.iter().take_while(|byte| joint.contains(byte)).count();
        if after.get(length..).unwrap_or_default().starts_with(b"is ") {
            length += "is ".len();
        }
        let value = name_end + length;
        if length == 0 {
            return;
        }
        if let Some(name) = name::before(self.bytes, value) {
            self.assigned(name, value);
        }
    }

    fn push(&mut self, rule: Option<usize>, span: Range<usize>, confidence: Confidence) {
        if let Some(rule) = rule {
            self.hits.push(Hit { rule, span, confidence });
        }
    }
}
