//! The profiles that come with the product hold policies that compile.

use std::path::Path;

use systemprompt_core::config::{ConfigError, Environment, LoadedProfile, STARTER_PROFILE, parse};
use systemprompt_governance::policy::{KnownIds, Policy};

fn compile(loaded: &LoadedProfile) -> Result<Policy, ConfigError> {
    let known = KnownIds::built_in(["working-hours".into()]);
    Policy::compile(&loaded.profile.governance, &known)
        .map_err(|faults| loaded.policy_error(&faults))
}

fn load(text: &str, file: &str) -> LoadedProfile {
    parse(text, file, &Environment::empty()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_starter_profile_compiles() {
    compile(&load(STARTER_PROFILE, "starter.yaml")).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_reference_profile_compiles() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/profile.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    compile(&load(&text, "profile.yaml")).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_fault_of_the_policy_names_its_line_and_column() {
    let edited = STARTER_PROFILE.replace("scopes: [admin]", "scopes: [admn]");
    let error = compile(&load(&edited, "profile.yaml")).expect_err("`admn` is no scope");
    let line = 1 + edited.lines().position(|line| line.contains("admn")).unwrap();
    let first = &error.diagnostics()[0];
    assert_eq!(first.position.map(|at| at.line), Some(line), "{error}");
    assert!(first.message.contains("did you mean `admin`?"), "{error}");
}
