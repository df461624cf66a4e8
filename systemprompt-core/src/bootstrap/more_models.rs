use crate::config::{ModelRoute, ModelsSection};

/// Adds the providers and routes of `more` that `models` leaves room for.
pub(super) fn add_models(models: &mut ModelsSection, more: &ModelsSection) {
    let known = models.providers.clone();
    for route in &more.routes {
        let targets = route.targets().map(|(_, target, _)| target.provider);
        let mut targets = targets.chain(route.fallback.iter().map(|each| each.provider.clone()));
        let is_new =
            |name: String| !known.contains_key(&name) && more.providers.contains_key(&name);
        if targets.all(is_new) && !is_taken(models, route) {
            models.routes.push(route.clone());
        }
    }
    for (name, provider) in &more.providers {
        let leads_there = |route: &ModelRoute| {
            route.targets().any(|(_, target, _)| target.provider == *name)
                || route.fallback.iter().any(|each| each.provider == *name)
        };
        if !known.contains_key(name) && models.routes.iter().any(leads_there) {
            models.providers.insert(name.clone(), provider.clone());
        }
    }
}

/// Whether routes or aliases take every request of a route before it.
fn is_taken(models: &ModelsSection, route: &ModelRoute) -> bool {
    let matching = &route.matching;
    let alias = matching.pattern.literal().is_some_and(|name| models.aliases.contains_key(name));
    alias
        || models.routes.iter().any(|before| {
            before.matching.pattern.covers(&matching.pattern)
                && before.matching.when.covers(&matching.when)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Environment, parse};

    fn models(text: &str) -> ModelsSection {
        let text = format!("profile: test\n{text}");
        parse(&text, "profile.yaml", &Environment::empty()).unwrap().profile.models
    }

    const MORE: &str = r#"
models:
  providers:
    a: {kind: anthropic, key: {env: A}}
    b: {kind: openai, key: {env: B}}
  routes:
    - {match: "claude-*", provider: a}
    - {match: "gpt-*", provider: b}
    - {match: "o3", provider: b}
"#;

    fn routes(of: &ModelsSection) -> Vec<String> {
        of.routes.iter().map(|route| route.matching.pattern.to_string()).collect()
    }

    #[test]
    fn what_the_profile_leaves_open_is_added_behind_it() {
        let own = r#"
models:
  providers: {x: {kind: echo}}
  aliases: {o3: echo}
  routes: [{match: echo, provider: x}, {match: "gpt-*", provider: x}]
"#;
        let mut all = models(own);
        add_models(&mut all, &models(MORE));
        assert_eq!(routes(&all), ["echo", "gpt-*", "claude-*"]);
        assert_eq!(all.providers.keys().collect::<Vec<_>>(), ["a", "x"], "`b` has no route left");
        assert_eq!(all.faults(), []);
        let before = all.clone();
        add_models(&mut all, &models(MORE));
        assert_eq!(all, before, "once is enough");
    }

    #[test]
    fn a_provider_of_the_profile_keeps_its_name() {
        let own = "models: {providers: {a: {kind: echo}}}";
        let mut all = models(own);
        add_models(&mut all, &models(MORE));
        assert_eq!(routes(&all), ["gpt-*", "o3"]);
        assert_eq!(all.providers["a"], models(own).providers["a"]);
        assert_eq!(all.faults(), []);
    }
}
