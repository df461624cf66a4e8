use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use systemprompt_audit::http::{AuditStreams, StreamLimits};
use systemprompt_audit::subject::SubjectKeys;
use systemprompt_audit::{AuditLog, AuditOptions, AuditReader, Origin};
use systemprompt_core::api::Authenticate;
use systemprompt_core::bootstrap::Config;
use systemprompt_core::clock::{Clock, Timestamp};
use systemprompt_core::config::IdentitySection;
use systemprompt_core::contract::AuditSink as _;
use systemprompt_core::database::{DbPool, SchemaStep};
use systemprompt_core::event::{AuditEvent, EventKind};
use systemprompt_core::extension::ExtensionContext;
use systemprompt_custody::Custody;
use systemprompt_custody::inject::Injector;
use systemprompt_governance::secret::Scanner;
use systemprompt_governance::{BuildError, Governor, KnownIds, OpenPermit};
use systemprompt_identity::{
    CredentialVerifier, Gate, GateSettings, IdentityStore, TrustedProxies, VerifierSettings,
};

use super::builder::Parts;
use super::{App, AppContext, Inner, Shutdown};
use crate::StartError;
use crate::audit_keys::{retention, subject_keys};
use crate::audit_signing;
use crate::custody;
use crate::export;
use crate::forget_revocations::ForgetRevocations;
use crate::injection;
use crate::issuer::issuer_settings;
use crate::jobs::Jobs;
use crate::models;
use crate::prune_events::PruneEvents;
use crate::reload::Reloader;
use crate::secret_rules;
use crate::server::Meter;
use crate::shadow;
use crate::system::{self, Probe};

/// Most permits of an earlier run that repeats can find.
const REMEMBERED_PERMITS: u32 = 100_000;

/// Makes an application of an open context.
pub(super) async fn assemble(context: AppContext, parts: Parts) -> Result<App, StartError> {
    let mut options = audit_options(&context.config, &context.clock)?;
    options.keys = match &parts.key_encryption {
        Some(encryption) => Some(SubjectKeys::new(encryption.clone())),
        None => subject_keys(&context.config)?,
    };
    let audit = AuditLog::open(&context.database, options).await?;
    let assembled = around(audit.clone(), context, parts).await;
    if assembled.is_err() {
        // The name of the log is free again when the error is returned.
        audit.close().await;
    }
    assembled
}

/// Everything that decisions need beside the log.
async fn around(audit: AuditLog, context: AppContext, parts: Parts) -> Result<App, StartError> {
    let (config, clock) = (&context.config, &context.clock);
    audit_signing::publish(config, &audit)?;
    let key = config.fingerprint_key().expose().as_bytes();
    let scanner = secret_rules::scanner(&context.registry, key)?;
    let (verifier, gate) = open_gate(&context, &audit, &scanner).await?;

    let redact = Arc::new(scanner.clone());
    let custody = custody::open(&context, clock, &audit, redact, parts.custody_encryption).await?;
    let injector = injection::injector(config.loaded(), &custody)?;
    let extension_context = extension_context(&context, &gate)
        .with::<Custody>(custody.clone())
        .with::<Injector>(injector.clone());
    let mut checks = context.registry.checks(&extension_context)?;
    checks.extend(parts.checks);
    let known = KnownIds::new(checks.iter().map(|check| check.id().into()), &scanner);
    let shadows = shadow::load(config.loaded(), config.environment(), &known)?;
    let mut governor = Governor::builder()
        .policy(config.profile().governance.clone())
        .scanner(scanner.clone())
        .audit(Arc::new(audit.clone()))
        .ledger(Arc::new(audit.clone()))
        .clock(clock.clone());
    governor = checks.into_iter().fold(governor, |governor, check| governor.check(check));
    if let Some(rates) = parts.rates {
        governor = governor.rate_store(rates);
    }
    let governor = governor.build().map_err(|error| match error {
        BuildError::Policy(faults) => config.loaded().policy_error(&faults.0).into(),
        error => StartError::from(error),
    })?;
    governor.set_shadows(shadows);
    governor.remember(open_permits(&audit).await?);

    let mut providers = context.registry.providers(&extension_context)?;
    providers.extend(parts.providers);
    let (models, budgets) = models::gateway(&context, &governor, &audit, &custody, providers)?;
    let extension_context = extension_context.with(governor.clone());
    let routers = context.registry.routers(&extension_context)?;
    let mut jobs = context.registry.jobs(&extension_context)?;
    jobs.push(Arc::new(ForgetRevocations(context.identities())));
    jobs.push(Arc::new(models::ExpireBudgets { store: budgets, clock: context.clock.clone() }));
    if models.probes_providers() {
        jobs.push(Arc::new(models::ProbeProviders(models.clone())));
    }
    if let Some(retention) = retention(config) {
        let (database, log, clock) = (context.database.clone(), audit.clone(), clock.clone());
        jobs.push(Arc::new(PruneEvents { database, log, retention, clock }));
    }
    audit.append_all(start_events(&context, &governor)).await?;

    let meter = Meter::new(&config.profile().server, system::route_patterns(&routers));
    let reader = AuditReader::new(context.database.clone()).with_keys(audit.keys().cloned());
    let reloader = Reloader::new(
        config.clone(),
        (governor.clone(), known),
        (audit.clone(), reader),
        clock.clone(),
    );
    let exporter = export::start(config, &context.database)?;
    let per_user = config.profile().audit.streams_per_user;
    let streams = AuditStreams::new(StreamLimits { per_user, ..StreamLimits::default() });
    Ok(App(Arc::new(Inner {
        watch: reloader.watch(),
        jobs: Jobs::start(jobs),
        reloader,
        routers,
        meter,
        governor,
        gate,
        verifier,
        audit,
        custody,
        injector,
        models,
        exporter,
        streams,
        probe: Probe::default(),
        shutdown: Shutdown::default(),
        context,
    })))
}

fn audit_options(config: &Config, clock: &Arc<dyn Clock>) -> Result<AuditOptions, StartError> {
    let section = &config.profile().audit;
    let origin = section.origin.as_deref().map(Origin::parse).transpose()?;
    Ok(AuditOptions {
        origin,
        queue: section.queue,
        max_batch: section.max_batch,
        lock_timeout: Duration::from_millis(config.profile().database.busy_timeout_ms),
        append_timeout: Duration::from_millis(section.append_timeout_ms),
        sweep_interval: Duration::from_secs(section.sweep_interval_s),
        checkpoints: Some(audit_signing::checkpoint_options(config)?),
        merkle: true,
        clock: clock.clone(),
        ..AuditOptions::default()
    })
}

async fn open_gate(
    context: &AppContext,
    audit: &AuditLog,
    scanner: &Scanner,
) -> Result<(CredentialVerifier, Gate), StartError> {
    let profile = context.config.profile();
    let settings = verifier_settings(&profile.identity);
    let verifier = CredentialVerifier::start(&context.identities(), settings).await?;
    let proxies = profile.server.trusted_proxies.clone();
    let settings = GateSettings {
        failures_per_minute: profile.identity.failed_logins_per_minute,
        trusted_proxies: TrustedProxies::matching(move |address| {
            proxies.iter().any(|proxy| proxy.contains(address))
        }),
    };
    let gate = Gate::start(
        Arc::new(verifier.clone()),
        Arc::new(audit.clone()),
        Arc::new(scanner.clone()),
        context.clock.clone(),
        settings,
    );
    Ok((verifier, gate))
}

fn verifier_settings(section: &IdentitySection) -> VerifierSettings {
    VerifierSettings {
        revocation_poll: Duration::from_millis(section.revocation_poll_ms),
        cache_entries: section.token_cache_entries,
        issuers: section.issuers.iter().map(issuer_settings).collect(),
    }
}

/// What extensions are given: their settings, the database, identities, the clock, and who
/// authenticates requests.
fn extension_context(context: &AppContext, gate: &Gate) -> ExtensionContext {
    let authenticate: Arc<dyn Authenticate> = Arc::new(gate.clone());
    ExtensionContext::new(context.settings.clone())
        .with::<DbPool>(context.database.clone())
        .with::<IdentityStore>(context.identities())
        .with::<Arc<dyn Clock>>(context.clock.clone())
        .with::<Arc<dyn Authenticate>>(authenticate)
}

/// The permits of an earlier run, as the governor wants them.
async fn open_permits(audit: &AuditLog) -> Result<Vec<OpenPermit>, StartError> {
    let permits = audit.open_permits(REMEMBERED_PERMITS).await?.into_iter();
    Ok(permits
        .filter_map(|open| {
            Some(OpenPermit {
                permit: open.permit,
                expires_at: open.expires_at,
                tenant: open.tenant,
                user: open.user,
                credential: open.credential?,
                session: open.session,
                call_id: open.call_id,
                call_digest: open.call_digest,
            })
        })
        .collect())
}

fn start_events(context: &AppContext, governor: &Governor) -> Vec<AuditEvent> {
    let now = context.clock.now();
    let profile = context.config.profile();
    let policy = governor.policy();
    let mut events = Vec::new();
    if !context.installed.is_empty() {
        events.push(schema_migrated(now, &context.installed));
    }
    let extensions: Vec<&str> = context.registry.iter().map(|extension| extension.id()).collect();
    let detail = json!({
        "profile": profile.profile,
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": extensions,
    });
    events.push(AuditEvent::system(now, EventKind::ServerStarted, detail));
    let detail = shadow::policy_detail(governor);
    events.push(AuditEvent::system(now, EventKind::PolicyLoaded, detail.clone()));
    if !policy.enabled() {
        tracing::warn!("governance is turned off: every authenticated call is allowed");
        events.push(AuditEvent::system(now, EventKind::GovernanceDisabled, detail));
    }
    events
}

/// The event that says what was installed.
pub(crate) fn schema_migrated(now: Timestamp, installed: &[SchemaStep]) -> AuditEvent {
    let steps = installed
        .iter()
        .map(|step| json!({ "owner": step.owner, "kind": step.kind, "name": step.name }));
    let detail = json!({ "steps": steps.collect::<Vec<_>>() });
    AuditEvent::system(now, EventKind::SchemaMigrated, detail)
}
