//! What is wrong with the `models` section that its types cannot tell.

mod cache;
mod provider;
mod route;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use super::{Problems, duplicates};
use crate::config::nearest::nearest;
use crate::config::{ModelPattern, ModelsFault, ModelsSection};

impl ModelsSection {
    /// What is wrong with the section, which a profile that was loaded is free of.
    #[must_use]
    pub fn faults(&self) -> Vec<ModelsFault> {
        let mut problems = Problems(Vec::new());
        section(self, &mut problems);
        problems.0.into_iter().map(|(path, problem)| ModelsFault { path, problem }).collect()
    }
}

pub(super) fn section(models: &ModelsSection, problems: &mut Problems) {
    for (name, each) in &models.providers {
        provider::provider(name, each, problems);
    }
    aliases(models, problems);
    route::routes(models, problems);
    if let Some(prices) = &models.prices {
        problems.filled("models.prices", &prices.to_string_lossy());
    }
    budgets(models, problems);
    if let Some(kept) = &models.cache {
        cache::cache(models, kept, problems);
    }
    let most = models.record_body_bytes as u64;
    problems.range("models.record_body_bytes", most, 1_024..=1_048_576);
    problems.range("models.body_limit_bytes", models.body_limit_bytes as u64, 1_024..=268_435_456);
}

fn aliases(models: &ModelsSection, problems: &mut Problems) {
    for (name, model) in &models.aliases {
        let path = format!("models.aliases.{name}");
        if let Some(problem) = name_problem(name) {
            problems.add(&path, format!("the name {problem}"));
        } else if let Some(problem) = name_problem(model) {
            problems.add(&path, problem);
        } else if is_in_circle(models, name) {
            problems.add(&path, "stands for itself in the end");
        } else if !models.aliases.contains_key(model) && !is_routed(models, model) {
            let known = literals(models).chain(models.aliases.keys().map(String::as_str));
            let problem = format!("no route takes `{model}`");
            problems.add(&path, with_nearest(problem, model, known));
        }
    }
}

/// Why a text is no name of a model.
fn name_problem(name: &str) -> Option<String> {
    let graphic = name.bytes().all(|byte| byte.is_ascii_graphic());
    if name.is_empty() || name.len() > ModelPattern::MAX_BYTES || !graphic {
        return Some(format!("must be 1 to {} of visible ASCII", ModelPattern::MAX_BYTES));
    }
    name.contains(['*', '?']).then(|| "must be that of one model, without `*` and `?`".to_owned())
}

/// Whether the aliases lead from `name` back to it.
fn is_in_circle(models: &ModelsSection, name: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut last = name;
    while let Some(next) = models.aliases.get(last) {
        if next == name {
            return true;
        }
        if !seen.insert(next.as_str()) {
            return false;
        }
        last = next;
    }
    false
}

fn is_routed(models: &ModelsSection, model: &str) -> bool {
    models.routes.iter().any(|route| route.matching.pattern.matches(model))
}

fn literals(models: &ModelsSection) -> impl Iterator<Item = &str> {
    models.routes.iter().filter_map(|route| route.matching.pattern.literal())
}

fn budgets(models: &ModelsSection, problems: &mut Problems) {
    const MOST: u64 = 1_000_000_000_000_000;
    for (index, budget) in models.budgets.iter().enumerate() {
        let path = format!("models.budgets[{index}]");
        let parts = budget.key.iter().map(|part| part.as_str());
        duplicates(parts, |part| format!("{path}.key[{part}]"), problems);
        if budget.limit_microdollars.is_none() && budget.limit_tokens.is_none() {
            problems.add(&path, "must have `limit_microdollars`, `limit_tokens` or both");
        }
        for (key, limit) in [
            ("limit_microdollars", budget.limit_microdollars),
            ("limit_tokens", budget.limit_tokens),
        ] {
            if let Some(limit) = limit {
                problems.range(&format!("{path}.{key}"), limit, 1..=MOST);
            }
        }
        problems.range(&format!("{path}.window_s"), budget.window_s, 1..=31_622_400);
    }
    let shared: Vec<_> = models
        .budgets
        .iter()
        .map(|budget| {
            let key: BTreeSet<_> = budget.key.iter().map(|part| part.as_str()).collect();
            format!("{key:?} {}", budget.window_s)
        })
        .collect();
    for (index, key) in shared.iter().enumerate() {
        if let Some(first) = shared.iter().take(index).position(|other| other == key) {
            let problem = format!("has the key and the window of `models.budgets[{first}]`");
            problems.add(format!("models.budgets[{index}]"), problem);
        }
    }
}

/// A sentence, with what was most likely meant.
fn with_nearest<'c>(
    problem: String,
    word: &str,
    known: impl IntoIterator<Item = &'c str>,
) -> String {
    match nearest(word, known) {
        Some(meant) => format!("{problem}; did you mean `{meant}`?"),
        None => problem,
    }
}
