use super::super::Problems;
use super::{is_routed, literals, with_nearest};
use crate::config::{ModelCache, ModelsSection};

pub(super) fn cache(models: &ModelsSection, cache: &ModelCache, problems: &mut Problems) {
    problems.range("models.cache.ttl_s", cache.ttl_s, 1..=604_800);
    problems.range("models.cache.max_bytes", cache.max_bytes, 65_536..=68_719_476_736);
    let longest = "models.cache.max_answer_bytes";
    if !(1_024..=cache.max_bytes / 2).contains(&cache.max_answer_bytes) {
        let problem =
            format!("must be 1024 to half of `max_bytes`, not {}", cache.max_answer_bytes);
        problems.add(longest, problem);
    }
    if cache.models.is_empty() {
        problems.add("models.cache.models", "must name a model; without `cache` none is kept");
    }
    for (index, pattern) in cache.models.iter().enumerate() {
        let path = format!("models.cache.models[{index}]");
        let covers = cache.models.iter().take(index).position(|other| other.covers(pattern));
        if let Some(first) = covers {
            problems.add(&path, format!("`models.cache.models[{first}]` has all of it"));
        }
        let Some(model) = pattern.literal() else { continue };
        if let Some(meant) = models.aliases.get(model) {
            let problem = format!("`{model}` is an alias of `{meant}`; name what it stands for");
            problems.add(path, problem);
        } else if !is_routed(models, model) {
            let problem = format!("no route takes `{model}`");
            problems.add(path, with_nearest(problem, model, literals(models)));
        }
    }
}
