//! The shadow policies of a profile, from their files.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use systemprompt_core::config::{
    ConfigError, Environment, LoadedPolicy, LoadedProfile, load_policy,
};
use systemprompt_governance::{Governor, KnownIds, Policy};

/// The shadow policies by id.
pub(crate) type ShadowPolicies = Vec<(Arc<str>, Arc<Policy>)>;

/// Loads and compiles every shadow policy of a profile; `known` is what it may name.
///
/// # Errors
/// [`ConfigError`] with everything that is wrong with any of them, by file, line and column.
pub(crate) fn load(
    loaded: &LoadedProfile,
    environment: &Environment,
    known: &KnownIds,
) -> Result<ShadowPolicies, ConfigError> {
    load_with(loaded, environment, |_| known.clone())
}

/// The same where the checks of the host cannot be told: a policy's own word is taken for them.
pub(crate) fn check(
    loaded: &LoadedProfile,
    environment: &Environment,
    known: &KnownIds,
) -> Result<(), ConfigError> {
    let with_own = |policy: &LoadedPolicy| {
        let own = policy.document.checks.disabled.iter().map(|id| Arc::from(id.as_str()));
        let checks: BTreeSet<_> = known.checks.iter().cloned().chain(own).collect();
        KnownIds { checks, ..known.clone() }
    };
    load_with(loaded, environment, with_own).map(|_| ())
}

fn load_with(
    loaded: &LoadedProfile,
    environment: &Environment,
    known: impl Fn(&LoadedPolicy) -> KnownIds,
) -> Result<ShadowPolicies, ConfigError> {
    let (mut policies, mut faults) = (Vec::new(), Vec::new());
    for shadow in &loaded.profile.shadow {
        let compiled = load_policy(&shadow.file, environment).and_then(|policy| {
            Policy::compile(&policy.document, &known(&policy))
                .map_err(|faults| policy.error(&faults))
        });
        match compiled {
            Ok(policy) => policies.push((shadow.id.as_str().into(), Arc::new(policy))),
            Err(error) => faults.extend_from_slice(error.diagnostics()),
        }
    }
    ConfigError::of(faults)?;
    Ok(policies)
}

/// The details of an event that says which policies are in force and asked.
pub(crate) fn policy_detail(governor: &Governor) -> Value {
    let policy_version = governor.policy_version();
    let shadows = governor
        .shadows()
        .into_iter()
        .map(|shadow| json!({ "id": *shadow.id, "policy_version": shadow.policy_version }));
    let shadows: Vec<_> = shadows.collect();
    match shadows.is_empty() {
        true => json!({ "policy_version": policy_version }),
        false => json!({ "policy_version": policy_version, "shadow": shadows }),
    }
}
