//! What the name of a model tells of it, beside its capabilities.

/// Whether a model is one of Anthropic's, here or at another provider.
pub(super) fn is_claude(model: &str) -> bool {
    model.to_ascii_lowercase().contains("claude")
}

/// Whether a model takes instructions between turns: Claude Opus 4.8 and what came after it, on the API of
/// Anthropic itself.
pub(super) fn takes_instructions(model: &str) -> bool {
    const BEFORE: [&str; 7] = [
        "claude-1",
        "claude-2",
        "claude-3",
        "claude-4",
        "claude-haiku-4",
        "claude-instant",
        "claude-sonnet-4",
    ];
    if !model.starts_with("claude-") || model.contains('@') {
        return false;
    }
    if BEFORE.iter().any(|before| model.starts_with(before)) {
        return false;
    }
    if let Some(rest) = model.strip_prefix("claude-opus-4") {
        let minor = rest.trim_start_matches('-').split('-').next().unwrap_or_default();
        return matches!(minor.parse::<u32>(), Ok(8..=99));
    }
    if let Some(rest) = model.strip_prefix("claude-sonnet-5") {
        let minor = rest.trim_start_matches('-').split('-').next().unwrap_or_default();
        return matches!(minor.parse::<u32>(), Ok(1..=99));
    }
    true
}
