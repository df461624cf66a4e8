//! `config check`, `config show`, `config schema`.

use std::path::Path;

use serde_json::json;
use systemprompt_core::bootstrap::ProfileBootstrap;
use systemprompt_core::config::{self, Environment, LoadedProfile};
use systemprompt_core::extension::TypedExtensionRegistry;

use crate::args::ConfigCommand;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn run(
    command: &ConfigCommand,
    profile: &Path,
    registry: TypedExtensionRegistry,
    output: Output,
) -> Result<(), Failure> {
    match command {
        ConfigCommand::Check => check(profile, registry, output),
        ConfigCommand::Show => show(profile, output),
        ConfigCommand::Schema => output.value(&config::json_schema()),
    }
}

fn load(profile: &Path) -> Result<LoadedProfile, Failure> {
    config::load(profile, &Environment::from_process()).map_err(Failure::config)
}

fn check(profile: &Path, registry: TypedExtensionRegistry, output: Output) -> Result<(), Failure> {
    let stage = ProfileBootstrap::load(profile, Environment::from_process());
    let version = systemprompt_runtime::check_profile(&stage.map_err(Failure::config)?, registry)
        .map_err(Failure::start)?
        .policy_version;
    if output.is_json() {
        return output.value(&json!({ "ok": true, "policy_version": version }));
    }
    output.text(&format!("{}: ok, policy {version}\n", profile.display()))
}

fn show(profile: &Path, output: Output) -> Result<(), Failure> {
    let loaded = load(profile)?;
    if output.is_json() {
        return output.value(&loaded.to_json().map_err(Failure::config)?);
    }
    output.text(&loaded.to_yaml().map_err(Failure::config)?)
}
