//! The application: everything between a configuration and a running server.

mod assemble;
mod builder;
mod context;
mod serve;
mod shutdown;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use systemprompt_audit::export::Exporter;
use systemprompt_audit::http::AuditStreams;
use systemprompt_audit::{AuditLog, AuditReader};
use systemprompt_core::config::ConfigError;
use systemprompt_core::database::DbPool;
use systemprompt_core::extension::MountedRouter;
use systemprompt_core::id::PolicyVersion;
use systemprompt_custody::Custody;
use systemprompt_custody::inject::{HttpError, InjectingClient, Injector};
use systemprompt_governance::Governor;
use systemprompt_governance::http::Doors;
use systemprompt_identity::{CredentialVerifier, Gate};
use systemprompt_providers::gateway::ModelGateway;
use systemprompt_providers::gateway::http::ModelDoors;

pub use builder::{AppBuilder, Configured, Unconfigured};
pub use context::{AppContext, installer};

pub(crate) use assemble::schema_migrated;

use assemble::assemble;
use shutdown::Shutdown;

use crate::jobs::Jobs;
use crate::reload::{FileWatch, ReloadStats, Reloader};
use crate::server::Meter;
use crate::system::{self, Probe};

/// A running application. Cloning is a reference count; nothing in it is global, so that several
/// applications run in one process.
///
/// Call [`App::shutdown`] before the last clone is dropped, so that the end is recorded.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    context: AppContext,
    governor: Governor,
    gate: Gate,
    verifier: CredentialVerifier,
    audit: AuditLog,
    custody: Custody,
    injector: Injector,
    models: ModelGateway,
    routers: Vec<MountedRouter>,
    meter: Meter,
    reloader: Reloader,
    watch: Option<FileWatch>,
    jobs: Jobs,
    exporter: Exporter,
    streams: AuditStreams,
    probe: Probe,
    shutdown: Shutdown,
}

impl App {
    /// A builder without a configuration.
    pub fn builder() -> AppBuilder {
        AppBuilder::new()
    }

    /// What the application was started with.
    #[must_use]
    pub fn context(&self) -> &AppContext {
        &self.0.context
    }

    /// Who decides.
    #[must_use]
    pub fn governor(&self) -> &Governor {
        &self.0.governor
    }

    /// Who finds out who is calling.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Who verifies credentials.
    #[must_use]
    pub fn verifier(&self) -> &CredentialVerifier {
        &self.0.verifier
    }

    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> &AuditLog {
        &self.0.audit
    }

    /// The secrets in custody: what hands them out, and what changes them.
    #[must_use]
    pub fn custody(&self) -> &Custody {
        &self.0.custody
    }

    /// What puts secrets in custody where the section `injection` of the profile says.
    #[must_use]
    pub fn injector(&self) -> &Injector {
        &self.0.injector
    }

    /// A client that sends requests with them, by `injection.http`. Make one and clone it.
    ///
    /// # Errors
    /// [`HttpError`] when TLS cannot be set up.
    pub fn injecting_client(&self) -> Result<InjectingClient, HttpError> {
        InjectingClient::new(&self.0.context.config.profile().injection.http)
    }

    /// What passes requests to models on.
    #[must_use]
    pub fn models(&self) -> &ModelGateway {
        &self.0.models
    }

    /// The sinks that the audit log is exported to.
    #[must_use]
    pub fn exporter(&self) -> &Exporter {
        &self.0.exporter
    }

    /// The database.
    #[must_use]
    pub fn database(&self) -> &DbPool {
        &self.0.context.database
    }

    /// The streams of the audit log. A host that serves the routes itself closes them when it begins to
    /// wait for running requests: a stream has no end of its own.
    #[must_use]
    pub fn streams(&self) -> &AuditStreams {
        &self.0.streams
    }

    /// All routes of the family and of the extensions, for a host that serves them itself. It gets
    /// neither limits nor `Host` checks with them; [`App::serve`] brings both.
    pub fn router(&self) -> Router {
        let doors = self.doors();
        let audit = systemprompt_audit::http::router_with_streams(
            AuditReader::new(self.0.context.database.clone())
                .with_keys(self.0.audit.keys().cloned()),
            doors.authenticate.clone(),
            doors.redact.clone(),
            self.0.streams.clone(),
        );
        let models = systemprompt_providers::gateway::http::router(ModelDoors {
            gateway: self.0.models.clone(),
            authenticate: doors.authenticate.clone(),
            body_limit: self.0.context.config.profile().models.body_limit_bytes,
        });
        let extensions = self.0.routers.iter().cloned().map(MountedRouter::into_axum);
        let router = systemprompt_governance::http::router(doors)
            .merge(audit)
            .merge(models)
            .merge(system::router(self.clone()));
        extensions.fold(router, Router::merge)
    }

    /// What reloading has come to so far.
    pub(crate) fn reload_stats(&self) -> ReloadStats {
        self.0.reloader.stats()
    }

    /// Whether the database answers, as far as was seen a moment ago.
    pub(crate) async fn database_answers(&self) -> bool {
        self.0.probe.answers(&self.0.context.database).await
    }

    /// The counters of the server.
    pub(crate) fn meter(&self) -> &Meter {
        &self.0.meter
    }

    fn doors(&self) -> Doors {
        let inner = &self.0;
        let mut doors = Doors::new(
            (Arc::new(inner.governor.clone()), Arc::new(inner.governor.clone())),
            inner.governor.ledger(),
            Arc::new(inner.gate.clone()),
            Arc::new(inner.audit.clone()),
            inner.governor.redactor(),
        );
        doors.clock = inner.context.clock.clone();
        doors.body_limit = inner.context.config.profile().server.body_limit_bytes;
        doors
    }

    /// Loads the policy of the profile's file again, all or nothing. Happens by itself when the file
    /// changes.
    ///
    /// # Errors
    /// [`ConfigError`] with everything that is wrong; the policy that was in force stays.
    pub async fn reload(&self) -> Result<PolicyVersion, ConfigError> {
        self.0.reloader.reload().await
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("config", &self.0.context.config)
            .field("policy", &self.0.governor.policy_version())
            .finish_non_exhaustive()
    }
}
