//! What is injected where, as the profile says.

use std::sync::Arc;

use systemprompt_core::config::{ConfigError, Diagnostic, LoadedProfile};
use systemprompt_custody::Custody;
use systemprompt_custody::inject::{Bindings, HttpError, InjectingClient, Injector};

/// The injector of an application, which opens what is in its custody.
///
/// # Errors
/// [`ConfigError`] with every binding that cannot be meant.
pub(crate) fn injector(loaded: &LoadedProfile, custody: &Custody) -> Result<Injector, ConfigError> {
    Ok(Injector::new(Arc::new(custody.clone()), bindings(loaded)?))
}

/// Everything that is wrong with the section.
pub(crate) fn faults(loaded: &LoadedProfile) -> Vec<Diagnostic> {
    let mut faults = match bindings(loaded) {
        Ok(_) => Vec::new(),
        Err(error) => error.diagnostics().to_vec(),
    };
    if let Err(error) = InjectingClient::check(&loaded.profile.injection.http) {
        let path = match &error {
            HttpError::Setting { setting, .. } => format!("injection.http.{setting}"),
            _ => "injection.http".to_owned(),
        };
        faults.push(loaded.diagnostic(path, &error.to_string()));
    }
    faults
}

fn bindings(loaded: &LoadedProfile) -> Result<Bindings, ConfigError> {
    let faults = match Bindings::compile(&loaded.profile.injection) {
        Ok(bindings) => return Ok(bindings),
        Err(faults) => faults.0,
    };
    let placed = faults.iter().map(|fault| {
        loaded.diagnostic(format!("injection.{}", fault.path), &fault.problem.to_string())
    });
    ConfigError::of(placed.collect())?;
    Ok(Bindings::default())
}
