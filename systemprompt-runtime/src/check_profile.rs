use std::collections::BTreeSet;
use std::sync::Arc;

use systemprompt_core::config::LoadedProfile;
use systemprompt_core::extension::{ExtensionContext, TypedExtensionRegistry};
use systemprompt_core::id::PolicyVersion;
use systemprompt_governance::secret::Scanner;
use systemprompt_governance::{KnownIds, Policy};

use crate::StartError;

/// A profile that an application would start with, as far as that can be told without a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedProfile {
    /// The version of its policy.
    pub policy_version: PolicyVersion,
}

/// Holds a profile against the extensions of a binary: their settings, their ids, and the policy.
///
/// # Errors
/// [`StartError`] with what is wrong; faults of the policy name file, line and column.
pub fn check_profile(
    loaded: &LoadedProfile,
    extensions: TypedExtensionRegistry,
) -> Result<CheckedProfile, StartError> {
    let profile = &loaded.profile;
    let registry = extensions.disable(&profile.extensions.disabled)?;
    let settings = registry.configure(&profile.extensions.config)?;
    // An extension whose checks need the database cannot name them here; then the ids that the policy
    // turns off are taken at their word.
    let checks: BTreeSet<Arc<str>> = match registry.checks(&ExtensionContext::new(settings)) {
        Ok(checks) => checks.iter().map(|check| check.id().into()).collect(),
        Err(_) => profile.governance.checks.disabled.iter().map(|id| id.as_str().into()).collect(),
    };
    let known = KnownIds { checks, secret_rules: Scanner::rule_ids().map(Arc::from).collect() };
    let policy = Policy::compile(&profile.governance, &known)
        .map_err(|faults| loaded.policy_error(&faults))?;
    Ok(CheckedProfile { policy_version: policy.version().clone() })
}
