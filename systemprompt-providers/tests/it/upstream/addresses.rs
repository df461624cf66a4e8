use systemprompt_providers::scripted::{Script, ScriptedUpstream};
use systemprompt_providers::upstream::{UpstreamClient, UpstreamErrorKind, UpstreamSettings};

use super::{send, settings, text};

#[tokio::test]
async fn private_addresses_take_their_setting() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    upstream.always("POST", "/", Script::json("{}"));
    let allowed = UpstreamClient::new("acme", settings(&upstream)).unwrap();
    assert_eq!(text(&allowed).await.as_deref(), Ok("{}"));

    let connections = upstream.accepted();
    let port = upstream.address().port();
    let mut refused = settings(&upstream);
    refused.private_addresses = false;
    refused.retries = super::quick();
    refused.base_url = format!("https://localhost:{port}");
    let client = UpstreamClient::new("acme", refused).unwrap();
    let error = send(&client).await.unwrap_err();
    assert_eq!(error.kind, UpstreamErrorKind::BlockedAddress);
    assert_eq!(error.model_error().kind.status(), 502);
    assert_eq!(upstream.accepted(), connections, "it was not even connected to");
    assert_eq!(error.attempts.len(), 1, "nor tried again");
    let health = client.health();
    assert_eq!(health.last_error.as_deref(), Some("upstream_blocked_address"));
    assert_eq!(health.consecutive_failures, 0, "the provider is not to blame");
}

#[tokio::test]
async fn names_are_connected_to_where_private_addresses_are_allowed() {
    let upstream = ScriptedUpstream::start().await.unwrap();
    upstream.always("POST", "/", Script::json("{}"));
    let mut named = settings(&upstream);
    named.base_url = format!("http://localhost:{}", upstream.address().port());
    let client = UpstreamClient::new("acme", named).unwrap();
    assert_eq!(text(&client).await.as_deref(), Ok("{}"));
}

#[test]
fn addresses_that_are_written_out_are_refused_at_once() {
    for url in [
        "https://127.0.0.1",
        "https://10.1.2.3/v1",
        "https://169.254.169.254",
        "https://100.64.0.1",
        "https://0.0.0.0",
        "https://[::1]",
        "https://[fd00::1]",
        "https://[::ffff:192.168.0.1]",
        "https://2130706433",
    ] {
        let settings = UpstreamSettings { base_url: url.to_owned(), ..Default::default() };
        let error = UpstreamClient::new("acme", settings).unwrap_err();
        assert_eq!(error.setting, "base_url", "{url}");
        assert!(error.why.contains("address"), "{url}: {error}");
        let settings = UpstreamSettings {
            base_url: url.to_owned(),
            private_addresses: true,
            ..Default::default()
        };
        assert!(UpstreamClient::new("acme", settings).is_ok(), "{url}");
    }
}

#[test]
fn the_internet_is_not_reached_without_tls() {
    let settings = UpstreamSettings {
        base_url: "http://1.1.1.1".to_owned(),
        private_addresses: true,
        ..Default::default()
    };
    assert_eq!(UpstreamClient::new("acme", settings).unwrap_err().setting, "base_url");
}
