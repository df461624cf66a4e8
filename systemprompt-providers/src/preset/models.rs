//! What is known of models.

use systemprompt_core::config::ModelPattern;

use self::Limit::{
    AlwaysThinks, CacheMarks, NeverThinks, NoAdaptive, NoBudget, NoForcedTool, NoImages, NoPrefill,
    NoSampling,
};
use crate::dialect::Capabilities;
use crate::price::undated;

/// What a model cannot do that others can, or the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// No `temperature`, `top_p`, `top_k`.
    NoSampling,
    /// Cannot be made to use a tool.
    NoForcedTool,
    /// Does not go on from the beginning of its own answer.
    NoPrefill,
    /// Takes no number of tokens to think.
    NoBudget,
    /// Does not know the word `adaptive`.
    NoAdaptive,
    /// Must not be told not to think.
    AlwaysThinks,
    /// Cannot think.
    NeverThinks,
    /// Takes no pictures.
    NoImages,
    /// Takes marks where its prompt is cached.
    CacheMarks,
}

pub(super) type Row = (&'static str, &'static str, &'static [Limit]);

/// Vendor, models, and what is special about them; the first row that fits counts, for a name with or
/// without the date of its snapshot. Models that no row fits can do everything. Checked on 2026-11-22
/// against the vendors' documentation and the table of litellm 1.106.2.
#[rustfmt::skip]
const MODELS: &[Row] = &[
    ("anthropic", "claude-opus-5-5*",   &[NoSampling, NoPrefill, NoBudget, NoForcedTool, AlwaysThinks]),
    ("anthropic", "claude-sonnet-5-5*", &[NoSampling, NoPrefill, NoBudget, NoForcedTool, AlwaysThinks]),
    ("anthropic", "claude-haiku-5-5*",  &[NoSampling, NoPrefill, NoBudget]),
    // The first of these two families could still be made to use a tool.
    ("anthropic", "claude-fable-5",        &[NoSampling, NoPrefill, NoBudget, AlwaysThinks]),
    ("anthropic", "claude-mythos-5",       &[NoSampling, NoPrefill, NoBudget, AlwaysThinks]),
    ("anthropic", "claude-mythos-preview", &[NoSampling, NoPrefill, NoBudget, AlwaysThinks]),
    ("anthropic", "claude-fable-*",     &[NoSampling, NoPrefill, NoBudget, NoForcedTool, AlwaysThinks]),
    ("anthropic", "claude-mythos-*",    &[NoSampling, NoPrefill, NoBudget, NoForcedTool, AlwaysThinks]),
    ("anthropic", "claude-opus-4-6*",   &[NoPrefill]),
    ("anthropic", "claude-sonnet-4-6*", &[NoPrefill]),
    ("anthropic", "claude-opus-4-7*",   &[NoSampling, NoPrefill, NoBudget]),
    ("anthropic", "claude-opus-4-8*",   &[NoSampling, NoPrefill, NoBudget]),
    ("anthropic", "claude-opus-4*",     &[NoAdaptive]),
    ("anthropic", "claude-sonnet-4*",   &[NoAdaptive]),
    ("anthropic", "claude-haiku-4*",    &[NoAdaptive]),
    ("anthropic", "claude-3-7*",        &[NoAdaptive]),
    ("anthropic", "claude-3*",          &[NoAdaptive, NeverThinks]),
    // Newer than this table: what all since 4-7 have in common.
    ("anthropic", "claude-*",           &[NoSampling, NoPrefill, NoBudget]),

    ("openai", "gpt-6-astra*", &[NoSampling, AlwaysThinks, CacheMarks]),
    ("openai", "gpt-6.1-sol*", &[NoSampling, AlwaysThinks, CacheMarks]),
    ("openai", "gpt-6*",       &[CacheMarks]),
    ("openai", "gpt-5.6*",     &[CacheMarks]),
    ("openai", "gpt-5.?-pro*", &[NoSampling, AlwaysThinks]),
    ("openai", "gpt-5.*",      &[]),
    ("openai", "gpt-5*",       &[NoSampling, AlwaysThinks]),
    ("openai", "gpt-4*",       &[NeverThinks]),
    ("openai", "o3*",          &[NoSampling, AlwaysThinks]),
    ("openai", "o4*",          &[NoSampling, AlwaysThinks]),

    ("gemini", "gemini-2.5-pro*",        &[NoAdaptive, AlwaysThinks]),
    ("gemini", "gemini-2.5*",            &[NoAdaptive]),
    ("gemini", "gemini-3.5-flash-lite*", &[NoSampling, NoBudget]),
    ("gemini", "gemini-3.6-flash*",      &[NoSampling, NoBudget]),
    ("gemini", "gemini-3.7-flash*",      &[NoSampling, NoBudget]),
    ("gemini", "gemini-3.8-flash*",      &[NoSampling, NoBudget]),
    ("gemini", "gemini-3*",              &[NoBudget]),
    ("gemini", "gemini-4*",              &[NoBudget]),

    ("moonshot", "kimi-k3*", &[NoSampling, NoBudget, AlwaysThinks]),

    ("qwen", "qwen3.7-max*", &[NoAdaptive, NoImages]),
    ("qwen", "qwen3-max*",   &[NoAdaptive, NoImages]),
    ("qwen", "qwen3-coder*", &[NoAdaptive, NoImages]),
    ("qwen", "qwen-plus*",   &[NoAdaptive, NoImages]),
    ("qwen", "qwen-flash*",  &[NoAdaptive, NoImages]),
    ("qwen", "qwen*",        &[NoAdaptive]),

    ("minimax", "minimax-m2*", &[NoImages]),

    ("deepseek", "deepseek-v4-pro*", &[NoImages]),
];

/// What is known of the models of a vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownModels {
    rows: Vec<(ModelPattern, Capabilities)>,
}

impl KnownModels {
    pub(super) fn of(vendor: &str) -> Self {
        let rows = rows().filter(|(of, ..)| *of == vendor);
        // A test reads every pattern.
        let rows =
            rows.filter_map(|(_, pattern, limits)| Some((pattern.parse().ok()?, with(limits))));
        Self { rows: rows.collect() }
    }

    /// What a model can do; everything where nothing is known.
    pub(super) fn capabilities(&self, model: &str) -> Capabilities {
        let folded = model.to_ascii_lowercase();
        let short = undated(&folded).unwrap_or(&folded);
        let fits = |pattern: &ModelPattern| pattern.matches(short) || pattern.matches(&folded);
        let row = self.rows.iter().find(|(pattern, _)| fits(pattern));
        row.map_or_else(Capabilities::default, |(_, capabilities)| capabilities.clone())
    }
}

/// The rows of the table.
pub(super) fn rows() -> impl Iterator<Item = Row> {
    MODELS.iter().copied()
}

fn with(limits: &[Limit]) -> Capabilities {
    let has = |limit| limits.contains(&limit);
    let thinks = !has(NeverThinks);
    Capabilities {
        sampling: !has(NoSampling),
        forced_tool_choice: !has(NoForcedTool),
        prefill: !has(NoPrefill),
        thinking_budget: thinks && !has(NoBudget),
        adaptive_thinking: thinks && !has(NoAdaptive),
        always_thinks: has(AlwaysThinks),
        thinks,
        images: !has(NoImages),
        cache_breakpoints: has(CacheMarks),
        max_output: None,
        context: None,
    }
}
