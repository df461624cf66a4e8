use std::time::Duration;

use systemprompt_audit::export::SinkStats;
use systemprompt_audit::{AuditStats, LATENCY_BOUNDS_US};
use systemprompt_governance::{ShadowStats, Stats};
use systemprompt_identity::{GateStats, IdentityStats};
use systemprompt_providers::gateway::CacheStats;

use super::Exposition;
use super::exposition::Kind::{Counter, Gauge, Histogram};
use crate::App;
use crate::reload::ReloadStats;
use crate::server::Meter;

impl App {
    /// Writes everything the application counts.
    pub(crate) fn expose(&self, page: &mut Exposition) {
        let version = env!("CARGO_PKG_VERSION");
        page.family("systemprompt_build_info", Gauge, "The version that runs.")
            .sample(&[("version", version)], 1);
        governor(page, &self.governor().stats());
        shadows(page, &self.governor().shadows());
        reloads(page, self.reload_stats());
        audit(page, &self.audit().stats());
        page.gauge(
            "systemprompt_audit_streams",
            "Streams of the audit log that are open.",
            self.streams().open() as u64,
        );
        export(page, &self.exporter().stats());
        identity(page, &self.gate().stats(), &self.verifier().stats());
        if let Some(stats) = self.models().cache_stats() {
            model_cache(page, stats);
        }
        http(page, self.meter());
    }
}

fn governor(page: &mut Exposition, stats: &Stats) {
    let mut decisions = page.family(
        "systemprompt_decisions_total",
        Counter,
        "Decisions by door, verdict and the code of the reason.",
    );
    for count in &stats.decisions {
        let labels = [
            ("door", count.door.as_str()),
            ("decision", count.verdict.as_str()),
            ("reason", count.reason.unwrap_or("")),
        ];
        decisions.sample(&labels, count.count);
    }
    let evaluation = &stats.evaluation;
    page.family(
        "systemprompt_evaluation_seconds",
        Histogram,
        "How long the checks of a call took, without the audit append.",
    )
    .histogram(evaluation.buckets.iter().copied(), evaluation.count, evaluation.sum);
    page.counter(
        "systemprompt_repeats_total",
        "Calls that were recognised as repeats and not charged.",
        stats.repeats,
    );
    page.counter(
        "systemprompt_rate_store_failures_total",
        "Calls denied because the rate store could not be asked.",
        stats.rate_store_failures,
    );
    page.counter(
        "systemprompt_check_failures_total",
        "Calls denied because a host check failed, panicked or overran.",
        stats.check_failures,
    );
    page.counter(
        "systemprompt_audit_denials_total",
        "Calls denied because the decision could not be recorded.",
        stats.audit_failures,
    );
}

fn model_cache(page: &mut Exposition, stats: CacheStats) {
    let mut family = page.family(
        "systemprompt_model_cache_requests_total",
        Counter,
        "Requests to models that were looked up among the answers that are kept.",
    );
    family.sample(&[("result", "hit")], stats.hits);
    family.sample(&[("result", "miss")], stats.misses);
    page.gauge("systemprompt_model_cache_answers", "Answers that are kept.", stats.answers);
    page.gauge("systemprompt_model_cache_bytes", "Bytes that these take.", stats.bytes);
}

fn shadows(page: &mut Exposition, shadows: &[ShadowStats]) {
    if shadows.is_empty() {
        return;
    }
    let mut family = page.family(
        "systemprompt_shadow_decisions_total",
        Counter,
        "What shadow policies would have decided, held against what was decided.",
    );
    for shadow in shadows {
        for (result, count) in [
            ("same", shadow.same),
            ("allow_to_deny", shadow.allow_to_deny),
            ("deny_to_allow", shadow.deny_to_allow),
            ("undecided", shadow.undecided),
        ] {
            family.sample(&[("shadow", &shadow.id), ("result", result)], count);
        }
    }
}

fn reloads(page: &mut Exposition, stats: ReloadStats) {
    let mut family = page.family(
        "systemprompt_policy_reloads_total",
        Counter,
        "Reloads of the policy by result; a rejected one leaves the last good policy in force.",
    );
    family.sample(&[("result", "loaded")], stats.loaded);
    family.sample(&[("result", "rejected")], stats.rejected);
    page.gauge(
        "systemprompt_policy_stale",
        "1 when the last reload was rejected.",
        stats.stale.into(),
    );
}

fn audit(page: &mut Exposition, stats: &AuditStats) {
    let latency = &stats.latency;
    let bounds = LATENCY_BOUNDS_US.iter().map(|micros| Duration::from_micros(*micros));
    let cumulative = latency.counts.iter().scan(0, |seen, count| {
        *seen += count;
        Some(*seen)
    });
    page.family(
        "systemprompt_audit_append_seconds",
        Histogram,
        "How long appends to the audit log took, until they were durable.",
    )
    .histogram(
        bounds.zip(cumulative),
        latency.counts.iter().sum(),
        Duration::from_micros(latency.sum_us),
    );
    page.counter("systemprompt_audit_events_total", "Events that were made durable.", stats.events);
    page.counter("systemprompt_audit_batches_total", "Transactions they took.", stats.batches);
    let mut failures = page.family(
        "systemprompt_audit_failures_total",
        Counter,
        "Events that were not written, by cause.",
    );
    failures.sample(&[("cause", "queue_full")], stats.refused);
    failures.sample(&[("cause", "store")], stats.failed);
    page.counter(
        "systemprompt_permits_abandoned_total",
        "Permits recorded as abandoned.",
        stats.abandoned,
    );
    page.gauge("systemprompt_audit_queue_depth", "Events that wait for the writer.", stats.queued);
    page.gauge(
        "systemprompt_audit_healthy",
        "1 when the last attempt to write succeeded.",
        stats.healthy.into(),
    );
    page.counter(
        "systemprompt_audit_checkpoints_total",
        "Checkpoints that were signed and stored.",
        stats.checkpoints,
    );
    page.counter(
        "systemprompt_audit_checkpoint_failures_total",
        "Times a checkpoint could not be stored, not be kept outside, or not be cosigned.",
        stats.checkpoint_failures,
    );
    page.counter(
        "systemprompt_audit_checkpoints_cosigned_total",
        "Checkpoints that a witness has cosigned, once for each witness.",
        stats.cosigned,
    );
    page.gauge(
        "systemprompt_audit_unsigned_events",
        "Events since the last checkpoint.",
        stats.last_seq.saturating_sub(stats.checkpointed),
    );
    page.gauge(
        "systemprompt_audit_diverged",
        "1 when the log is not the one that was signed before, and is not signed any more.",
        stats.diverged.into(),
    );
}

fn export(page: &mut Exposition, sinks: &[SinkStats]) {
    if sinks.is_empty() {
        return;
    }
    let mut family = |name, kind, help: &str, value: fn(&SinkStats) -> u64| {
        let mut family = page.family(name, kind, help);
        for sink in sinks {
            family.sample(&[("sink", &sink.sink)], value(sink));
        }
    };
    let events = "Events of the audit log that have arrived at a sink.";
    family("systemprompt_export_events_total", Counter, events, |sink| sink.events);
    let failures = "Attempts to export that failed.";
    family("systemprompt_export_failures_total", Counter, failures, |sink| sink.failures);
    let rejected = "Events that a receiver refused for good; they are kept in the sink's folder.";
    family("systemprompt_export_rejected_total", Counter, rejected, |sink| sink.rejected);
    let unreadable = "Rows of the audit log that are no events and were left out.";
    family("systemprompt_export_unreadable_total", Counter, unreadable, |sink| sink.unreadable);
    let behind = "Events in the audit log that have not arrived at a sink.";
    family("systemprompt_export_behind", Gauge, behind, |sink| sink.behind);
    let spooled = "Bytes that wait on disk for a sink.";
    family("systemprompt_export_spooled_bytes", Gauge, spooled, |sink| sink.spooled_bytes);
    let paused = "1 while the spool of a sink is full.";
    family("systemprompt_export_paused", Gauge, paused, |sink| sink.paused.into());
    let healthy = "1 when the last attempt to export succeeded.";
    family("systemprompt_export_healthy", Gauge, healthy, |sink| sink.healthy.into());
}

fn identity(page: &mut Exposition, gate: &GateStats, verifier: &IdentityStats) {
    page.counter("systemprompt_auth_passed_total", "Requests that were let in.", gate.passed);
    let mut refusals = page.family(
        "systemprompt_auth_refusals_total",
        Counter,
        "Credentials that were refused, by cause.",
    );
    for (code, count) in &verifier.refused {
        refusals.sample(&[("code", code)], *count);
    }
    let refused: u64 = verifier.refused.iter().map(|(_, count)| count).sum();
    refusals.sample(&[("code", "missing")], gate.refused.saturating_sub(refused));
    page.counter(
        "systemprompt_auth_slowed_total",
        "Refused requests whose address had failed too often.",
        gate.slowed,
    );
    let mut verified = page.family(
        "systemprompt_credentials_verified_total",
        Counter,
        "Credentials found good, by how.",
    );
    verified.sample(&[("how", "cache")], verifier.cache_hits);
    verified.sample(&[("how", "key")], verifier.keys_verified);
    verified.sample(&[("how", "token")], verifier.tokens_verified);
}

fn http(page: &mut Exposition, meter: &Meter) {
    let mut requests =
        page.family("systemprompt_http_requests_total", Counter, "Answers by route and status.");
    for (route, status, count) in meter.traffic().counts() {
        requests.sample(&[("route", route), ("status", &status)], count);
    }
    let (open, accepted, cut) = meter.connections();
    page.gauge("systemprompt_http_connections", "Connections open now.", open as u64);
    page.counter(
        "systemprompt_http_connections_accepted_total",
        "Connections accepted so far.",
        accepted,
    );
    page.counter(
        "systemprompt_http_connections_cut_total",
        "Connections cut off for being slow or idle.",
        cut,
    );
}
