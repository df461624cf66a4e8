use serde_json::{Value, json};
use systemprompt_core::llm::{Dialect, Effort, LossKind, Reasoning, ReasoningMode};

use super::Encoder;

/// The fewest tokens that models which always think must be left, and the most that all models take
/// (`thinkingBudget` of Gemini 2.5).
const BUDGETS: (u64, u64) = (128, 24_576);

impl Encoder<'_> {
    /// `thinkingConfig`: a level (`thinkingLevel`, Gemini 3 on) or a number of tokens (`thinkingBudget`, Gemini
    /// 2.5), never both.
    pub(super) fn thinking(&mut self) -> Option<Value> {
        let reasoning = self.request.reasoning.clone()?;
        let off = is_off(&reasoning);
        if !self.to.capabilities.thinks {
            if !off {
                self.lose(self.fields.reasoning(), LossKind::Dropped);
            }
            return None;
        }
        let mut config = if off { self.no_thinking() } else { self.amount(&reasoning) };
        if !off && self.shows_thoughts(&reasoning) {
            config.insert("includeThoughts".to_owned(), Value::Bool(true));
        }
        if matches!(reasoning.summary.as_deref(), Some("concise" | "detailed")) {
            // Thoughts have one form here.
            self.lose(self.fields.summary(), LossKind::Hint);
        }
        (!config.is_empty()).then_some(Value::Object(config))
    }

    /// As little thinking as the model can do.
    fn no_thinking(&mut self) -> serde_json::Map<String, Value> {
        let can = self.to.capabilities;
        if can.thinking_budget && !can.always_thinks {
            return object(json!({ "thinkingBudget": 0 }));
        }
        self.lose(self.fields.reasoning(), LossKind::Degraded);
        match (can.adaptive_thinking, can.always_thinks) {
            (true, true) => object(json!({ "thinkingLevel": "LOW" })),
            (true, false) => object(json!({ "thinkingLevel": "MINIMAL" })),
            (false, _) if can.thinking_budget => object(json!({ "thinkingBudget": BUDGETS.0 })),
            (false, _) => serde_json::Map::new(),
        }
    }

    /// How much the model is to think.
    fn amount(&mut self, reasoning: &Reasoning) -> serde_json::Map<String, Value> {
        let can = self.to.capabilities;
        match (reasoning.budget_tokens, reasoning.effort) {
            (Some(budget), effort) if can.thinking_budget => {
                if effort.is_some() {
                    self.lose(self.fields.effort(), LossKind::Hint);
                }
                let low = if can.always_thinks { BUDGETS.0 } else { 0 };
                let within = budget.clamp(low, i32::MAX as u64);
                if within != budget {
                    self.lose(self.fields.budget(), LossKind::Clamped);
                }
                object(json!({ "thinkingBudget": within }))
            }
            (Some(budget), None) if can.adaptive_thinking => {
                self.lose(self.fields.budget(), LossKind::Degraded);
                let effort = effort_of(budget);
                object(json!({ "thinkingLevel": self.level(effort) }))
            }
            (budget, Some(effort)) if can.adaptive_thinking => {
                if budget.is_some() {
                    self.lose(self.fields.budget(), LossKind::Degraded);
                }
                object(json!({ "thinkingLevel": self.level(effort) }))
            }
            (None, Some(effort)) if can.thinking_budget => {
                self.lose(self.fields.effort(), LossKind::Degraded);
                object(json!({ "thinkingBudget": budget_of(effort) }))
            }
            (None, None) if can.thinking_budget && !can.adaptive_thinking => {
                // As much as the model finds right.
                object(json!({ "thinkingBudget": -1 }))
            }
            (None, None) => serde_json::Map::new(),
            (budget, effort) => {
                if budget.is_some() {
                    self.lose(self.fields.budget(), LossKind::Dropped);
                }
                if effort.is_some() {
                    self.lose(self.fields.effort(), LossKind::Dropped);
                }
                serde_json::Map::new()
            }
        }
    }

    fn level(&mut self, effort: Effort) -> &'static str {
        match effort {
            // Models that always think have no less than this, the level `MINIMAL` least of all.
            Effort::None | Effort::Minimal if self.to.capabilities.always_thinks => {
                self.lose(self.fields.effort(), LossKind::Clamped);
                "LOW"
            }
            Effort::None | Effort::Minimal => "MINIMAL",
            Effort::Low => "LOW",
            Effort::Medium => "MEDIUM",
            Effort::High => "HIGH",
            // The wire has `XHIGH`, but most of its models refuse it.
            Effort::XHigh | Effort::Max => {
                self.lose(self.fields.effort(), LossKind::Clamped);
                "HIGH"
            }
        }
    }

    /// Whether the caller is shown thoughts. Responses asks for a summary; the others show what there is.
    fn shows_thoughts(&self, reasoning: &Reasoning) -> bool {
        match reasoning.summary.as_deref() {
            Some("omitted" | "none") => false,
            Some(_) => true,
            None => self.request.dialect != Dialect::Responses,
        }
    }
}

fn is_off(reasoning: &Reasoning) -> bool {
    reasoning.mode == Some(ReasoningMode::Disabled)
        || (reasoning.mode.is_none() && reasoning.effort == Some(Effort::None))
}

const fn effort_of(tokens: u64) -> Effort {
    match tokens {
        0..=1_023 => Effort::Minimal,
        1_024..=4_096 => Effort::Low,
        4_097..=16_384 => Effort::Medium,
        _ => Effort::High,
    }
}

/// The tokens that the vendor's own OpenAI endpoint takes an effort for.
const fn budget_of(effort: Effort) -> u64 {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => 1_024,
        Effort::Medium => 8_192,
        Effort::High | Effort::XHigh | Effort::Max => BUDGETS.1,
    }
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    }
}
