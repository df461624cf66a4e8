//! How much the model is to think, in the words that it takes.

use systemprompt_core::llm::{
    Dialect, Effort, LossKind, LossReport, ModelRequest, Reasoning, ReasoningMode,
};

use super::super::field::Field;
use crate::dialect::Capabilities;

/// The least a model can be told to think, in tokens.
const LEAST: u64 = 1024;
/// The tokens that are left for the answer where the gateway chooses how many there are.
const ANSWER: u64 = 4096;

/// `thinking.type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Enabled { budget: u64 },
    Adaptive,
    Disabled,
}

/// What is said of thinking, and how long the answer may be with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) thinking: Option<Thinking>,
    pub(super) effort: Option<Effort>,
    pub(super) max_tokens: u64,
}

impl Plan {
    /// Whether the model is told to think.
    pub(super) const fn is_on(&self) -> bool {
        matches!(self.thinking, Some(Thinking::Enabled { .. } | Thinking::Adaptive))
    }
}

/// Plans for a model that can do `able`.
pub(super) fn plan(request: &ModelRequest, able: &Capabilities, losses: &mut LossReport) -> Plan {
    let max_tokens = max_tokens(request, able, losses);
    let mut planner = Planner { request, able, losses, max_tokens };
    let (thinking, effort) = match &request.reasoning {
        None => (None, None),
        Some(reasoning) => planner.plan(reasoning),
    };
    let effort = effort.map(|effort| planner.word(effort));
    Plan { thinking, effort, max_tokens: planner.max_tokens }
}

fn max_tokens(request: &ModelRequest, able: &Capabilities, losses: &mut LossReport) -> u64 {
    match (request.max_output_tokens, able.max_output) {
        (Some(asked), Some(most)) if asked > most => {
            losses.note(Field::MaxTokens.of(request.dialect), LossKind::Clamped);
            most
        }
        (Some(asked), _) => asked,
        (None, most) => most.unwrap_or(ANSWER),
    }
}

struct Planner<'a> {
    request: &'a ModelRequest,
    able: &'a Capabilities,
    losses: &'a mut LossReport,
    max_tokens: u64,
}

impl Planner<'_> {
    fn note(&mut self, field: Field, what: LossKind) {
        self.losses.note(field.of(self.request.dialect), what);
    }

    fn native(&self) -> bool {
        self.request.dialect == Dialect::Anthropic
    }

    fn plan(&mut self, asked: &Reasoning) -> (Option<Thinking>, Option<Effort>) {
        let off = asked.mode == Some(ReasoningMode::Disabled)
            || asked.effort == Some(Effort::None)
            || asked.budget_tokens == Some(0);
        if off {
            return self.off(asked);
        }
        match asked.mode {
            None if asked.effort.is_none() && asked.budget_tokens.is_none() => (None, None),
            // An effort alone is about the whole answer on this wire, and does not turn thinking on.
            None if self.native() && asked.budget_tokens.is_none() => (None, self.effort(asked)),
            _ => self.on(asked),
        }
    }

    fn off(&mut self, asked: &Reasoning) -> (Option<Thinking>, Option<Effort>) {
        let effort = asked.effort.filter(|effort| *effort != Effort::None);
        let effort = effort.filter(|_| self.able.adaptive_thinking);
        if self.able.always_thinks {
            self.note(Field::Thinking, LossKind::Degraded);
            let least = self.able.adaptive_thinking.then_some(Effort::Low);
            return (None, effort.or(least));
        }
        (self.able.thinks.then_some(Thinking::Disabled), effort)
    }

    fn on(&mut self, asked: &Reasoning) -> (Option<Thinking>, Option<Effort>) {
        let able = self.able;
        let adaptive = asked.mode == Some(ReasoningMode::Adaptive);
        if !able.thinks || !(able.thinking_budget || able.adaptive_thinking) {
            self.note(Field::Thinking, LossKind::Dropped);
            return (None, None);
        }
        if let (Some(budget), true, false) =
            (asked.budget_tokens, able.thinking_budget, adaptive && able.adaptive_thinking)
        {
            return (self.enabled(budget, true), self.effort(asked));
        }
        if able.adaptive_thinking {
            let effort = asked.effort.or_else(|| {
                let budget = asked.budget_tokens?;
                self.note(Field::Budget, LossKind::Degraded);
                Some(effort_of(budget))
            });
            return (Some(Thinking::Adaptive), effort);
        }
        if self.native() && adaptive {
            self.note(Field::Thinking, LossKind::Degraded);
        }
        let budget = budget_of(asked.effort.unwrap_or(Effort::Medium));
        (self.enabled(budget, false), None)
    }

    /// The effort, where the model knows the word.
    fn effort(&mut self, asked: &Reasoning) -> Option<Effort> {
        let effort = asked.effort?;
        if !self.able.adaptive_thinking {
            self.note(Field::Effort, LossKind::Hint);
            return None;
        }
        Some(effort)
    }

    /// A budget, which must leave room for an answer.
    fn enabled(&mut self, budget: u64, said: bool) -> Option<Thinking> {
        if self.request.max_output_tokens.is_none() {
            let wanted = budget.saturating_add(ANSWER);
            if self.able.max_output.is_none() && self.max_tokens < wanted {
                self.max_tokens = wanted;
            }
        }
        if self.max_tokens <= LEAST {
            self.note(Field::Thinking, LossKind::Dropped);
            return None;
        }
        let fits = budget.clamp(LEAST, self.max_tokens - 1);
        if said && fits != budget {
            self.note(Field::Budget, LossKind::Clamped);
        }
        Some(Thinking::Enabled { budget: fits })
    }

    /// The word of this wire, which has none for `minimal`.
    fn word(&mut self, effort: Effort) -> Effort {
        if effort >= Effort::Low {
            return effort;
        }
        self.note(Field::Effort, LossKind::Degraded);
        Effort::Low
    }
}

/// About how many tokens a model thinks with an effort.
const fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None | Effort::Minimal => LEAST,
        Effort::Low => 2048,
        Effort::Medium => 8192,
        Effort::High => 16_384,
        Effort::XHigh => 24_576,
        Effort::Max => 32_768,
    }
}

const fn effort_of(budget: u64) -> Effort {
    match budget {
        0..=4095 => Effort::Low,
        4096..=12_287 => Effort::Medium,
        12_288..=24_575 => Effort::High,
        24_576..=65_535 => Effort::XHigh,
        _ => Effort::Max,
    }
}
