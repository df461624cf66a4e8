use super::super::Problems;
use super::{name_problem, with_nearest};
use crate::config::{ModelRoute, ModelTarget, ModelsSection, RouteMatch};

pub(super) fn routes(models: &ModelsSection, problems: &mut Problems) {
    for (index, each) in models.routes.iter().enumerate() {
        route(each, &format!("models.routes[{index}]"), models, problems);
        reachable(index, each, models, problems);
    }
}

fn route(route: &ModelRoute, path: &str, models: &ModelsSection, problems: &mut Problems) {
    if let Some(tokens) = route.matching.when.min_tokens {
        let at = format!("{path}.match.when.min_tokens");
        problems.range(&at, tokens, 1..=1_000_000_000);
    }
    match (&route.provider, route.split.as_slice()) {
        (None, []) => problems.add(path, "must have a `provider` or a `split`"),
        (Some(_), [_, ..]) => problems.add(path, "must have either `provider` or `split`"),
        (None, split) => {
            if route.model.is_some() {
                let problem = "each entry of a `split` has a `model` of its own";
                problems.add(format!("{path}.model"), problem);
            }
            if split.iter().all(|entry| entry.weight == 0) {
                problems.add(format!("{path}.split"), "must have a weight above 0");
            }
        }
        (Some(_), []) => {}
    }
    for (at, each, weight) in route.targets() {
        let at = format!("{path}{at}");
        problems.range(&format!("{at}.weight"), weight, 0..=1_000_000);
        target(&each, &at, models, problems);
    }
    for (index, each) in route.fallback.iter().enumerate() {
        target(each, &format!("{path}.fallback[{index}]"), models, problems);
    }
    distinct(route, path, problems);
}

fn target(target: &ModelTarget, path: &str, models: &ModelsSection, problems: &mut Problems) {
    if !models.providers.contains_key(&target.provider) {
        let problem = format!("there is no provider `{}`", target.provider);
        let known = models.providers.keys().map(String::as_str);
        let problem = with_nearest(problem, &target.provider, known);
        problems.add(format!("{path}.provider"), problem);
    }
    if let Some(problem) = target.model.as_deref().and_then(name_problem) {
        problems.add(format!("{path}.model"), problem);
    }
}

/// Asking the same provider for the same model again is what its retries are for.
fn distinct(route: &ModelRoute, path: &str, problems: &mut Problems) {
    let first: Vec<_> = route.targets().map(|(at, target, _)| (at, target)).collect();
    let split = first.len();
    let fallback = route.fallback.iter().enumerate();
    let fallback = fallback.map(|(index, each)| (format!(".fallback[{index}]"), each.clone()));
    let all: Vec<_> = first.into_iter().chain(fallback).collect();
    for (index, (at, target)) in all.iter().enumerate() {
        let same = all.iter().take(index).position(|(_, other)| other == target);
        // A split may fall back to any of its own entries, and a route without a split to none.
        let allowed = |same: usize| index >= split && same < split && split > 1;
        if let Some(same) = same.filter(|same| !allowed(*same)) {
            let first = all.get(same).map_or("", |(at, _)| at.as_str());
            let problem = format!("is the same as `{path}{first}`");
            problems.add(format!("{path}{at}"), problem);
        }
    }
}

/// A route that an earlier one, or an alias, takes every request from.
fn reachable(index: usize, route: &ModelRoute, models: &ModelsSection, problems: &mut Problems) {
    let path = format!("models.routes[{index}].match");
    let RouteMatch { pattern, when } = &route.matching;
    if let Some(model) = pattern.literal().and_then(|name| models.aliases.get(name)) {
        let problem = format!(
            "can never fit: `{pattern}` is an alias of `{model}`, and routes see what it stands for"
        );
        problems.add(&path, problem);
    }
    let earlier = models.routes.iter().take(index).position(|earlier| {
        earlier.matching.pattern.covers(pattern) && earlier.matching.when.covers(when)
    });
    if let Some(earlier) = earlier {
        let problem =
            format!("can never fit: `models.routes[{earlier}]` takes every request that it fits");
        problems.add(&path, problem);
    }
}
