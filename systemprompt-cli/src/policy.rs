//! Checks a profile the way a server does when it starts.

use std::sync::Arc;

use systemprompt_core::bootstrap::Config;
use systemprompt_core::config::LoadedProfile;
use systemprompt_core::contract::Check;
use systemprompt_core::extension::{ExtensionContext, TypedExtensionRegistry};
use systemprompt_core::id::PolicyVersion;
use systemprompt_core::policy::PolicyDocument;
use systemprompt_governance::secret::Scanner;
use systemprompt_governance::{BuildError, KnownIds, Policy};

use crate::failure::Failure;
use crate::session::Session;

/// Compiles the policy of `loaded` and reads the settings of its extensions.
pub(crate) fn check(
    loaded: &LoadedProfile,
    registry: &TypedExtensionRegistry,
) -> Result<PolicyVersion, Failure> {
    let extensions = &loaded.profile.extensions;
    let settings = registry.configure(&extensions.config).map_err(Failure::config)?;
    let named = &loaded.profile.governance.checks.disabled;
    // A check that needs more than its settings, a database say, cannot be made here; then the ids
    // that the policy turns off are looked at when the server starts.
    let checks = match registry.checks(&ExtensionContext::new(settings)) {
        Ok(checks) => checks.iter().map(|check| Arc::from(check.id())).collect(),
        Err(_) => named.iter().map(|id| Arc::from(id.as_str())).collect(),
    };
    let known = KnownIds { checks, secret_rules: Scanner::rule_ids().map(Arc::from).collect() };
    let policy = Policy::compile(&loaded.profile.governance, &known)
        .map_err(|faults| Failure::config(loaded.policy_error(&faults)))?;
    Ok(policy.version().clone())
}

/// The scanner that `policy` asks for.
pub(crate) fn scanner(policy: &PolicyDocument, key: &str) -> Result<Scanner, Failure> {
    Scanner::builder()
        .fingerprint_key(key.as_bytes())
        .disable(policy.secrets.disabled_rules.iter().cloned())
        .build()
        .map_err(Failure::config)
}

/// The host checks of all extensions.
pub(crate) fn checks(
    registry: &TypedExtensionRegistry,
    session: &Session,
) -> Result<Vec<Arc<dyn Check>>, Failure> {
    let extensions = &session.config.profile().extensions;
    let settings = registry.configure(&extensions.config).map_err(Failure::config)?;
    let context = ExtensionContext::new(settings)
        .with(session.database.clone())
        .with(session.clock.clone());
    registry.checks(&context).map_err(Failure::config)
}

/// Says where in the profile a policy is wrong.
pub(crate) fn build_failure(config: &Config, error: BuildError) -> Failure {
    match error {
        BuildError::Policy(faults) => Failure::config(config.loaded().policy_error(&faults.0)),
        other => Failure::config(other),
    }
}
