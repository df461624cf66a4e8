//! The settings in the guide are settings. Its program is run as a documentation test.

use systemprompt_core::config::{Environment, STARTER_PROFILE, parse};
use systemprompt_custody::inject::Bindings;

const GUIDE: &str = include_str!("../../../docs/secret-injection.md");

#[test]
fn the_settings_of_the_guide_are_understood() {
    let (_, rest) = GUIDE.split_once("```yaml\n").unwrap();
    let (yaml, _) = rest.split_once("```").unwrap();
    let profile = format!("{STARTER_PROFILE}\n{yaml}");
    let loaded = parse(&profile, "profile.yaml", &Environment::default()).unwrap();
    let settings = loaded.profile.injection;
    assert_eq!((settings.bindings.len(), settings.servers.len()), (3, 2));
    Bindings::compile(&settings).unwrap();
}
