//! What goes with a policy: the scanner and the checks of the host.

use std::sync::Arc;

use systemprompt_core::bootstrap::Config;
use systemprompt_core::contract::Check;
use systemprompt_core::extension::ExtensionContext;
use systemprompt_governance::BuildError;
use systemprompt_governance::secret::Scanner;

use crate::failure::Failure;
use crate::session::Session;

/// The scanner of the installation, as servers have it. Which of its rules count is up to the policy.
pub(crate) fn scanner(session: &Session) -> Result<Scanner, Failure> {
    let key = session.config.fingerprint_key();
    systemprompt_runtime::scanner(&session.registry, key.expose().as_bytes())
        .map_err(Failure::config)
}

/// The host checks of all extensions.
pub(crate) fn checks(session: &Session) -> Result<Vec<Arc<dyn Check>>, Failure> {
    let extensions = &session.config.profile().extensions;
    let settings = session.registry.configure(&extensions.config).map_err(Failure::config)?;
    let context =
        ExtensionContext::new(settings).with(session.database.clone()).with(session.clock.clone());
    session.registry.checks(&context).map_err(Failure::config)
}

/// Says where in the profile a policy is wrong.
pub(crate) fn build_failure(config: &Config, error: BuildError) -> Failure {
    match error {
        BuildError::Policy(faults) => Failure::config(config.loaded().policy_error(&faults.0)),
        other => Failure::config(other),
    }
}
