//! How the next token is chosen, and the version of the API that lets callers say so.

use systemprompt_core::llm::{Dialect, LossKind, LossReport, ModelRequest, Sampling};

use super::super::field::Field;
use super::super::{VERSION_2023, VERSION_2026};
use super::thinking::Plan;
use crate::dialect::Target;

/// The sampling that is sent, and the version of the API that takes it.
pub(super) fn sampling(
    request: &ModelRequest,
    to: &Target<'_>,
    plan: &Plan,
    claude: bool,
    losses: &mut LossReport,
) -> (Sampling, String) {
    let dialect = request.dialect;
    let mut sampling = request.sampling;
    let unit = |value: &mut Option<f64>, field: Field, losses: &mut LossReport| {
        if let Some(value) = value
            && !(0.0..=1.0).contains(value)
        {
            *value = value.clamp(0.0, 1.0);
            losses.note(field.of(dialect), LossKind::Clamped);
        }
    };
    for (said, field) in [
        (sampling.seed.take().is_some(), Field::Seed),
        (sampling.presence_penalty.take().is_some(), Field::PresencePenalty),
        (sampling.frequency_penalty.take().is_some(), Field::FrequencyPenalty),
    ] {
        if said {
            losses.note(field.of(dialect), LossKind::Dropped);
        }
    }
    let pinned = to.flags.version.clone();
    let old = pinned.as_deref().is_none_or(|version| version < VERSION_2026);
    // A model that thinks takes no sampling beside it.
    let taken = to.capabilities.sampling && old && (dialect == Dialect::Anthropic || !plan.is_on());
    if taken {
        unit(&mut sampling.temperature, Field::Temperature, losses);
        unit(&mut sampling.top_p, Field::TopP, losses);
        if claude && dialect != Dialect::Anthropic && sampling.temperature.is_some() {
            // Claude takes one of the two.
            if let Some(top_p) = sampling.top_p.take() {
                let what = if top_p < 1.0 { LossKind::Dropped } else { LossKind::Hint };
                losses.note(Field::TopP.of(dialect), what);
            }
        }
    } else {
        for (said, field) in [
            (sampling.temperature.take().is_some(), Field::Temperature),
            (sampling.top_p.take().is_some(), Field::TopP),
            (sampling.top_k.take().is_some(), Field::TopK),
        ] {
            if said {
                losses.note(field.of(dialect), LossKind::Dropped);
            }
        }
    }
    let survives = sampling != Sampling::default();
    let version = if survives { VERSION_2023 } else { VERSION_2026 };
    (sampling, pinned.unwrap_or_else(|| version.to_owned()))
}
