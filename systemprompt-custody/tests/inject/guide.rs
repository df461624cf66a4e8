//! The settings in the guide are settings. Its program is run as a documentation test.

use systemprompt_core::config::{Environment, STARTER_PROFILE, parse};
use systemprompt_custody::inject::{Bindings, InjectionSettings};

const GUIDE: &str = include_str!("../../../docs/secret-injection.md");

#[test]
fn the_settings_of_the_guide_are_understood() {
    let (_, rest) = GUIDE.split_once("```yaml\n").unwrap();
    let (yaml, _) = rest.split_once("```").unwrap();
    let section: String = yaml.lines().map(|line| format!("      {line}\n")).collect();
    let profile = format!("{STARTER_PROFILE}\nextensions:\n  config:\n    injection:\n{section}");
    let environment = Environment::default();
    let loaded = parse(&profile, "profile.yaml", &environment).unwrap();
    let settings = loaded.profile.extensions.config["injection"].clone();
    let settings: InjectionSettings = serde_json::from_value(settings).unwrap();
    assert_eq!((settings.bindings.len(), settings.servers.len()), (3, 2));
    Bindings::compile(&settings).unwrap();
}
