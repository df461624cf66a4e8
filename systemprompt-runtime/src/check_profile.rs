use std::collections::BTreeSet;
use std::sync::Arc;

use systemprompt_core::bootstrap::{ProfileBootstrap, SecretsBootstrap};
use systemprompt_core::config::{ConfigError, Diagnostic, LoadedProfile};
use systemprompt_core::extension::{ExtensionContext, TypedExtensionRegistry};
use systemprompt_core::id::PolicyVersion;
use systemprompt_governance::{KnownIds, Policy};

use crate::StartError;
use crate::enabled::Enabled;
use crate::injection;
use crate::issuer::missing_keys;
use crate::models;
use crate::secret_rules;
use crate::shadow;

/// A profile that an application would start with, as far as that can be told without a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedProfile {
    /// The version of its policy.
    pub policy_version: PolicyVersion,
}

/// Holds a profile against the extensions of a binary (their settings, their ids), the secrets and key
/// sets it refers to, and the policy.
///
/// # Errors
/// [`StartError::Config`] with everything that is wrong, by file, line and column.
pub fn check_profile(
    profile: &ProfileBootstrap,
    extensions: TypedExtensionRegistry,
) -> Result<CheckedProfile, StartError> {
    let loaded = profile.loaded();
    let mut faults = Vec::new();
    if let Err(error) = SecretsBootstrap::resolve(profile.clone()) {
        faults.extend_from_slice(error.diagnostics());
    }
    faults.extend(missing_keys(loaded));
    faults.extend(injection::faults(loaded));
    faults.extend(models::faults(loaded));
    let Enabled { registry, settings } = Enabled::of(loaded, extensions, &mut faults);
    // An extension whose checks need the database cannot name them here; then the ids that the policy
    // turns off are taken at their word.
    let context = ExtensionContext::new(settings);
    faults.extend(models::missing_extensions(loaded, &registry, &context));
    let checks = match registry.checks(&context) {
        Ok(checks) if faults.is_empty() => checks.iter().map(|check| check.id().into()).collect(),
        _ => disabled_checks(loaded),
    };
    let known = known(&registry, checks)?;
    if let Err(error) = shadow::check(loaded, profile.environment(), &known) {
        faults.extend_from_slice(error.diagnostics());
    }
    match compile(loaded, &known) {
        Ok(policy) => {
            ConfigError::of(faults)?;
            Ok(CheckedProfile { policy_version: policy.version().clone() })
        }
        Err(error) => {
            faults.extend_from_slice(error.diagnostics());
            ConfigError::of(faults)?;
            Err(error.into())
        }
    }
}

/// What a start needs of a profile and `extensions`; with faults, those of the policy are added.
pub(crate) fn enabled(
    loaded: &LoadedProfile,
    extensions: TypedExtensionRegistry,
) -> Result<Enabled, ConfigError> {
    let mut faults = missing_keys(loaded);
    faults.extend(injection::faults(loaded));
    faults.extend(models::faults(loaded));
    let enabled = Enabled::of(loaded, extensions, &mut faults);
    if !faults.is_empty() {
        faults.extend(policy_faults(loaded, &enabled.registry));
    }
    ConfigError::of(faults)?;
    Ok(enabled)
}

/// What is wrong with the policy, as far as that can be told without the checks of the host.
fn policy_faults(loaded: &LoadedProfile, registry: &TypedExtensionRegistry) -> Vec<Diagnostic> {
    // A rule file with a fault is what the start itself will fail for.
    let Ok(known) = known(registry, disabled_checks(loaded)) else { return Vec::new() };
    match compile(loaded, &known) {
        Ok(_) => Vec::new(),
        Err(error) => error.diagnostics().to_vec(),
    }
}

fn compile(loaded: &LoadedProfile, known: &KnownIds) -> Result<Policy, ConfigError> {
    Policy::compile(&loaded.profile.governance, known)
        .map_err(|faults| loaded.policy_error(&faults))
}

/// What a policy may name.
fn known(
    registry: &TypedExtensionRegistry,
    checks: BTreeSet<Arc<str>>,
) -> Result<KnownIds, StartError> {
    // Nothing is searched with it, so that the key does not matter.
    Ok(KnownIds::new(checks, &secret_rules::scanner(registry, &[0; 32])?))
}

fn disabled_checks(loaded: &LoadedProfile) -> BTreeSet<Arc<str>> {
    loaded.profile.governance.checks.disabled.iter().map(|id| id.as_str().into()).collect()
}
