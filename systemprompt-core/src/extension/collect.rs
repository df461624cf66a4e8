//! What the extensions of a registry bring, made for one application.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{
    ExtensionContext, ExtensionError, ExtensionFailure, MountedRouter, RegisteredExtension,
    SecretRuleFile, TypedExtensionRegistry,
};
use crate::contract::{Check, Job, LlmProvider};

/// Ids of checks that the pipeline itself has.
const PIPELINE: [&str; 5] = ["scope", "secret", "blocklist", "rate", "approval"];

impl TypedExtensionRegistry {
    /// Makes the routes of all extensions.
    ///
    /// # Errors
    /// [`ExtensionError::Failed`] when an extension cannot make its routes.
    pub fn routers(
        &self,
        context: &ExtensionContext,
    ) -> Result<Vec<MountedRouter>, ExtensionError> {
        let mut mounted = Vec::new();
        for extension in self {
            let id = extension.id();
            if let Some((base, router)) = &extension.router {
                mounted.push(MountedRouter {
                    extension: id.to_owned(),
                    base: base.clone(),
                    router: router.clone(),
                });
            }
            if let (Some(api), Some(base)) = (&extension.entry.api, &extension.api_base) {
                let router = api.build_router_dyn(context).map_err(failed(id, "routes"))?;
                mounted.push(MountedRouter {
                    extension: id.to_owned(),
                    base: base.clone(),
                    router,
                });
            }
        }
        Ok(mounted)
    }

    /// Makes the jobs of all extensions.
    ///
    /// # Errors
    /// [`ExtensionError`] when an extension cannot make its jobs or two have the same name.
    pub fn jobs(&self, context: &ExtensionContext) -> Result<Vec<Arc<dyn Job>>, ExtensionError> {
        self.gather(
            ("job", "jobs"),
            |extension| Some(extension.entry.jobs.as_ref()?.jobs(context)),
            |job| job.name(),
        )
    }

    /// Makes the model providers of all extensions.
    ///
    /// # Errors
    /// [`ExtensionError`] when an extension cannot make its providers or two have the same name.
    pub fn providers(
        &self,
        context: &ExtensionContext,
    ) -> Result<Vec<Arc<dyn LlmProvider>>, ExtensionError> {
        self.gather(
            ("provider", "providers"),
            |extension| Some(extension.entry.providers.as_ref()?.providers(context)),
            |provider| provider.name(),
        )
    }

    /// Makes the checks of all extensions, in the order in which they run.
    ///
    /// # Errors
    /// [`ExtensionError`] when an extension cannot make its checks, two have the same id, or one has
    /// an id of the pipeline itself.
    pub fn checks(
        &self,
        context: &ExtensionContext,
    ) -> Result<Vec<Arc<dyn Check>>, ExtensionError> {
        self.gather(
            ("check", "checks"),
            |extension| Some(extension.entry.checks.as_ref()?.checks(context)),
            |check| check.id(),
        )
    }

    /// The rule files of all extensions, named `<extension>/<file>`.
    #[must_use]
    pub fn secret_rules(&self) -> Vec<SecretRuleFile> {
        let of = |extension: &RegisteredExtension| {
            let files = extension.entry.secret_rules.as_ref().map(|rules| rules.secret_rules());
            files
                .unwrap_or_default()
                .into_iter()
                .map(|file| SecretRuleFile {
                    name: format!("{}/{}", extension.id(), file.name),
                    ..file
                })
                .collect::<Vec<_>>()
        };
        self.iter().flat_map(of).collect()
    }

    /// What `make` yields for each extension, given that no two have the same name.
    fn gather<T: ?Sized>(
        &self,
        (one, many): (&'static str, &'static str),
        make: impl Fn(&RegisteredExtension) -> Option<Result<Vec<Arc<T>>, ExtensionFailure>>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Vec<Arc<T>>, ExtensionError> {
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        if one == "check" {
            taken.extend(PIPELINE.map(|id| (id.to_owned(), "the pipeline".to_owned())));
        }
        let mut gathered = Vec::new();
        for extension in self {
            let Some(made) = make(extension) else { continue };
            for part in made.map_err(failed(extension.id(), many))? {
                let name = name(&part).to_owned();
                let owner = format!("the extension `{}`", extension.id());
                if let Some(first) = taken.insert(name.clone(), owner) {
                    return Err(ExtensionError::NameTaken {
                        what: one,
                        name,
                        first,
                        second: extension.id().to_owned(),
                    });
                }
                gathered.push(part);
            }
        }
        Ok(gathered)
    }
}

fn failed(id: &str, what: &'static str) -> impl FnOnce(ExtensionFailure) -> ExtensionError {
    let id = id.to_owned();
    move |source| ExtensionError::Failed { id, what, source }
}
