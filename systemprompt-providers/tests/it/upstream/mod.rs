//! Connections to providers, against an upstream that does what it is told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use systemprompt_core::clock::{Clock, ManualClock, Timestamp};
use systemprompt_providers::scripted::ScriptedUpstream;
use systemprompt_providers::upstream::{
    AttemptOutcome, RetrySettings, UpstreamAnswer, UpstreamCall, UpstreamClient, UpstreamError,
    UpstreamErrorKind, UpstreamSettings,
};

mod addresses;
mod answers;
mod breaker;
mod connections;
mod failures;
mod retries;
mod saturation;
mod scripted;
mod secrecy;
mod tls;

/// Longer than anything here takes, and shorter than a test that hangs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Settings for the upstream, with one attempt and short times.
fn settings(upstream: &ScriptedUpstream) -> UpstreamSettings {
    UpstreamSettings {
        base_url: upstream.url(),
        private_addresses: true,
        connect_timeout: Duration::from_secs(5),
        first_byte_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(5),
        total_timeout: PATIENCE,
        retries: RetrySettings { attempts: 1, ..quick() },
        ..UpstreamSettings::default()
    }
}

/// Three attempts with pauses that a test can wait for.
fn quick() -> RetrySettings {
    RetrySettings {
        attempts: 3,
        base: Duration::from_millis(4),
        max: Duration::from_millis(8),
        ..RetrySettings::default()
    }
}

/// An upstream, and a client for it whose settings are changed so.
async fn pair(
    change: impl FnOnce(&mut UpstreamSettings),
) -> (ScriptedUpstream, UpstreamClient, Arc<ManualClock>) {
    let upstream = ScriptedUpstream::start().await.unwrap();
    let mut settings = settings(&upstream);
    change(&mut settings);
    let clock = Arc::new(ManualClock::at("2026-11-28T00:00:00Z".parse::<Timestamp>().unwrap()));
    let shared: Arc<dyn Clock> = clock.clone();
    let client = UpstreamClient::with_clock("acme", settings, shared).unwrap();
    (upstream, client, clock)
}

fn call() -> UpstreamCall {
    UpstreamCall::post("/v1/messages", r#"{"model":"m"}"#)
}

async fn send(client: &UpstreamClient) -> Result<UpstreamAnswer, UpstreamError> {
    tokio::time::timeout(PATIENCE * 2, client.send(call())).await.expect("it hangs")
}

/// Sends a call and reads its answer to the end.
async fn text(client: &UpstreamClient) -> Result<String, UpstreamErrorKind> {
    let answer = send(client).await.map_err(|error| error.kind)?;
    let body = answer.collect(1 << 20).await.map_err(|error| error.kind)?;
    Ok(String::from_utf8(body.to_vec()).unwrap())
}

fn outcomes(attempts: &[systemprompt_providers::upstream::Attempt]) -> Vec<String> {
    attempts.iter().map(|attempt| attempt.outcome.code()).collect()
}

fn failed(kind: UpstreamErrorKind) -> AttemptOutcome {
    AttemptOutcome::Failed(kind)
}

/// Asserts that since `started` about so long has passed.
#[track_caller]
fn took(started: Instant, about: Duration) {
    let took = started.elapsed();
    assert!(took >= about && took < about + Duration::from_secs(4), "{took:?}, not {about:?}");
}
