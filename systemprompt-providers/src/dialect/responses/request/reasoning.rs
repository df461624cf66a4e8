use serde_json::{Map, Value, json};
use systemprompt_core::llm::{
    Dialect, Effort, LossKind, LossReport, ModelError, ModelRequest, Reasoning, ReasoningMode,
};

use super::super::members::{Members, wrong};
use crate::dialect::Capabilities;

/// Reads `reasoning`.
pub(super) fn decode(
    mut said: Members,
    rest: &mut Map<String, Value>,
) -> Result<Reasoning, ModelError> {
    let effort = match said.string("effort")? {
        None => None,
        Some(word) => Some(Effort::parse(&word).ok_or_else(|| {
            wrong(
                &said.at("effort"),
                "`none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`",
            )
        })?),
    };
    let older = said.string("generate_summary")?;
    let reasoning = Reasoning {
        mode: (effort == Some(Effort::None)).then_some(ReasoningMode::Disabled),
        effort,
        budget_tokens: None,
        summary: said.string("summary")?.or(older),
    };
    said.leave(rest);
    Ok(reasoning)
}

/// Writes `reasoning`, or `None` where nothing is to be said.
pub(super) fn encode(
    request: &ModelRequest,
    capabilities: &Capabilities,
    losses: &mut LossReport,
) -> Option<Map<String, Value>> {
    let reasoning = request.reasoning.as_ref()?;
    let names = Names::of(request.dialect);
    if !capabilities.thinks {
        let asked = reasoning.mode != Some(ReasoningMode::Disabled)
            && reasoning.effort != Some(Effort::None);
        if asked {
            losses.note(names.all, LossKind::Dropped);
        }
        return None;
    }
    let mut said = Map::new();
    if let Some(effort) = effort(reasoning, capabilities, &names, losses) {
        said.insert("effort".to_owned(), json!(effort.as_str()));
    }
    if let Some(summary) = summary(reasoning, request.dialect, &names, losses) {
        said.insert("summary".to_owned(), json!(summary));
    }
    (!said.is_empty()).then_some(said)
}

fn effort(
    reasoning: &Reasoning,
    capabilities: &Capabilities,
    names: &Names,
    losses: &mut LossReport,
) -> Option<Effort> {
    let off =
        reasoning.mode == Some(ReasoningMode::Disabled) || reasoning.effort == Some(Effort::None);
    if off {
        if capabilities.always_thinks {
            losses.note(names.all, LossKind::Dropped);
            return None;
        }
        return Some(Effort::None);
    }
    let Some(budget) = reasoning.budget_tokens else { return reasoning.effort };
    // The wire has words, no numbers.
    losses.note(names.budget, LossKind::Degraded);
    reasoning.effort.or(Some(match budget {
        0..=4_096 => Effort::Low,
        4_097..=16_384 => Effort::Medium,
        _ => Effort::High,
    }))
}

fn summary<'a>(
    reasoning: &'a Reasoning,
    dialect: Dialect,
    names: &Names,
    losses: &mut LossReport,
) -> Option<&'a str> {
    match reasoning.summary.as_deref() {
        Some(word @ ("auto" | "concise" | "detailed")) => Some(word),
        Some("summarized") => Some("auto"),
        Some("omitted") => None,
        Some(word) if dialect == Dialect::Responses => Some(word),
        Some(_) => {
            losses.note(names.summary, LossKind::Hint);
            None
        }
        // Where a budget is given, Anthropic shows the thoughts unless told otherwise.
        None => (dialect == Dialect::Anthropic && reasoning.mode == Some(ReasoningMode::Enabled))
            .then_some("auto"),
    }
}

/// What callers call it.
struct Names {
    all: &'static str,
    budget: &'static str,
    summary: &'static str,
}

impl Names {
    const fn of(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Anthropic => Self {
                all: "thinking",
                budget: "thinking.budget_tokens",
                summary: "thinking.display",
            },
            Dialect::Chat => Self {
                all: "reasoning_effort",
                budget: "reasoning.max_tokens",
                summary: "reasoning.summary",
            },
            Dialect::Responses => Self {
                all: "reasoning.effort",
                budget: "reasoning.budget_tokens",
                summary: "reasoning.summary",
            },
            Dialect::Gemini => Self {
                all: "generationConfig.thinkingConfig",
                budget: "generationConfig.thinkingConfig.thinkingBudget",
                summary: "generationConfig.thinkingConfig.includeThoughts",
            },
        }
    }
}
