//! Requests with secrets: they go where they are bound to, and do not come back.

use std::sync::Arc;

use serde_json::{Value, json};
use systemprompt_core::decision::RunError;
use systemprompt_custody::inject::{
    CrossHost, HttpError, HttpSettings, InjectingClient, Injection, UpstreamRequest,
};
use url::Url;

use crate::house::{
    MemoryLedger, MemoryStore, TOKEN, assert_clean, call, injector, permit, server, tenant,
};
use crate::upstream::Upstream;

fn local() -> HttpSettings {
    let private_hosts = ["127.0.0.1", "localhost"].map(str::to_owned).into();
    HttpSettings { private_hosts, ..HttpSettings::default() }
}

fn client(settings: &HttpSettings) -> InjectingClient {
    InjectingClient::new(settings).unwrap()
}

fn bound(host: &str) -> Value {
    json!({ "server": "api", "secret": "key", "sink": { "header": {
        "host": host, "name": "authorization", "template": "Bearer {}",
    } } })
}

fn granted(host: &str) -> String {
    format!("api: key in header `authorization` of host `{host}`")
}

/// What is injected for server `api`, whose key is bound to these hosts.
fn injection(hosts: &[&str]) -> (Injection, Arc<MemoryStore>) {
    let grants: Vec<_> = hosts.iter().map(|host| granted(host)).collect();
    let store = MemoryStore::with(
        &[("key", TOKEN)],
        &grants.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let bindings: Vec<_> = hosts.iter().map(|host| bound(host)).collect();
    let injector = injector(&store, json!({ "bindings": bindings }));
    (injector.for_start(&tenant(), &server("api")), store)
}

fn get(url: &str) -> UpstreamRequest {
    UpstreamRequest::new(http::Method::GET, Url::parse(url).unwrap())
}

fn redirect(from: &Upstream, to: &str) -> String {
    let query: String = url::form_urlencoded::byte_serialize(to.as_bytes()).collect();
    from.url(&format!("/to?url={query}"))
}

async fn body(
    client: &InjectingClient,
    injection: &Injection,
    url: &str,
) -> Result<String, HttpError> {
    let response = client.send(injection, get(url)).await?;
    Ok(String::from_utf8(response.bytes().await?.to_vec()).unwrap())
}

#[tokio::test]
async fn the_agent_calls_the_service_injects_the_model_never_sees() {
    let upstream = Upstream::start().await;
    let grant = granted(&upstream.host());
    let store = MemoryStore::with(&[("key", TOKEN)], &[&grant]);
    let injector = injector(&store, json!({ "bindings": [bound(&upstream.host())] }));
    let ledger = Arc::new(MemoryLedger::default());
    let client = client(&local());
    let decided = call("mcp__api__list", "{}");
    let result = injector
        .run(&server("api"), permit(&decided, &ledger), |injection| async move {
            let response = client.send(&injection, get(&upstream.url("/echo"))).await?;
            let id = response.headers()["x-request-id"].to_str().unwrap();
            assert_eq!(id, "for Bearer [redacted:secret://key]");
            assert!(!response.headers().contains_key("x-credential"));
            assert!(!response.headers().contains_key("set-cookie"));
            let received = upstream.log.all();
            assert_eq!(received[0].header("authorization"), Some(&*format!("Bearer {TOKEN}")));
            response.bytes().await
        })
        .await
        .unwrap();
    assert_clean(&result, TOKEN);
    let text = String::from_utf8(result.to_vec()).unwrap();
    assert!(text.starts_with("authorization=Bearer [redacted:secret://key] base64="), "{text}");
    assert_eq!(text.matches("[redacted:secret://key]").count(), 3, "{text}");
    assert_clean(format!("{:?}", ledger.only_outcome()).as_bytes(), TOKEN);
    assert_eq!(store.opened(), [format!("opened {grant} for mcp__api__list")]);
}

#[tokio::test]
async fn a_value_in_two_pieces_does_not_leave() {
    let upstream = Upstream::start().await;
    let (injection, _) = injection(&[&upstream.host()]);
    let client = client(&local());
    let mut response = client.send(&injection, get(&upstream.url("/slow"))).await.unwrap();
    let mut pieces = Vec::new();
    while let Some(piece) = response.chunk().await.unwrap() {
        pieces.push(String::from_utf8(piece.to_vec()).unwrap());
    }
    assert_eq!(pieces, ["<Bearer ", "[redacted:secret://key]>"]);
}

#[tokio::test]
async fn another_host_port_or_scheme_gets_nothing() {
    let (bound, other) = (Upstream::start().await, Upstream::start().await);
    let (injection, store) = injection(&[&bound.host()]);
    let client = client(&local());
    let by_name = format!("http://localhost:{}/echo", bound.address.port());
    for url in [other.url("/echo"), by_name] {
        let text = body(&client, &injection, &url).await.unwrap();
        assert!(text.starts_with("authorization=none"), "{text}");
    }
    let with_tls = bound.url("/echo").replace("http:", "https:");
    let error = body(&client, &injection, &with_tls).await.unwrap_err();
    assert_eq!(error, HttpError::Connection("could not be made"));
    // With TLS it is the bound host: the secret was opened for it, and there was nobody to send it to.
    assert_eq!(store.opened().len(), 1);
    assert!(bound.log.all().iter().all(|request| request.header("authorization").is_none()));
    let plain = HttpSettings { private_hosts: ["localhost".to_owned()].into(), ..local() };
    let error = body(&self::client(&plain), &injection, &bound.url("/echo")).await.unwrap_err();
    assert_eq!(error, HttpError::Insecure);
    let error = body(&client, &injection, "http://api.example.com/").await.unwrap_err();
    assert_eq!(error, HttpError::Insecure);
}

#[tokio::test]
async fn private_addresses_are_not_connected_to_unless_named() {
    let nothing = client(&HttpSettings::default());
    let (injection, store) = injection(&["127.0.0.1:1"]);
    for url in [
        "https://127.0.0.1:1/",
        "https://localhost:1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:10.0.0.1]/",
        "https://0x7f000001/",
        "https://127.1/",
    ] {
        let error = body(&nothing, &injection, url).await.unwrap_err();
        assert_eq!(error, HttpError::PrivateAddress, "{url}");
    }
    assert!(store.opened().is_empty(), "an address that is refused opens nothing");
}

#[tokio::test]
async fn a_redirect_on_the_same_host_keeps_the_secret() {
    let upstream = Upstream::start().await;
    let (injection, _) = injection(&[&upstream.host()]);
    let text =
        body(&client(&local()), &injection, &redirect(&upstream, "/echo?again")).await.unwrap();
    assert!(text.starts_with("authorization=Bearer [redacted"), "{text}");
    let received = upstream.log.all();
    assert_eq!(received[1].path, "/echo?again");
    assert_eq!(received[1].header("authorization"), Some(&*format!("Bearer {TOKEN}")));
}

#[tokio::test]
async fn a_redirect_to_an_unbound_host_does_not_carry_the_secret() {
    let (upstream, other) = (Upstream::start().await, Upstream::start().await);
    let (injection, _) = injection(&[&upstream.host()]);
    let elsewhere = redirect(&upstream, &other.url("/echo"));
    let error = body(&client(&local()), &injection, &elsewhere).await.unwrap_err();
    assert_eq!(error, HttpError::RedirectLeavesBinding { from: "127.0.0.1".to_owned() });
    assert!(other.log.all().is_empty());

    let lenient = HttpSettings { cross_host: CrossHost::WithoutSecret, ..local() };
    let text = body(&client(&lenient), &injection, &elsewhere).await.unwrap();
    assert!(text.starts_with("authorization=none"), "{text}");
    // Nor does it come back with a redirect to where it was bound.
    let there_and_back = redirect(&upstream, &redirect(&other, &upstream.url("/echo")));
    let text = body(&client(&lenient), &injection, &there_and_back).await.unwrap();
    assert!(text.starts_with("authorization=none"), "{text}");
}

#[tokio::test]
async fn a_redirect_to_a_host_the_same_secret_is_bound_to_carries_it_and_no_other() {
    let (upstream, second) = (Upstream::start().await, Upstream::start().await);
    let elsewhere = redirect(&upstream, &second.url("/echo"));
    let (both, store) = injection(&[&upstream.host(), &second.host()]);
    body(&client(&local()), &both, &elsewhere).await.unwrap();
    assert_eq!(second.log.all()[0].header("authorization"), Some(&*format!("Bearer {TOKEN}")));
    assert_eq!(store.opened().len(), 2, "each host is a use of its own");

    // A host that has no secret of its own does not reach one by sending the client on.
    let (only_second, store) = injection(&[&second.host()]);
    let text = body(&client(&local()), &only_second, &elsewhere).await.unwrap();
    assert!(text.starts_with("authorization=none"), "{text}");
    assert!(store.opened().is_empty());

    // The second host is bound and not granted.
    let store = MemoryStore::with(&[("key", TOKEN)], &[&granted(&upstream.host())]);
    let injector =
        injector(&store, json!({ "bindings": [bound(&upstream.host()), bound(&second.host())] }));
    let ungranted = injector.for_start(&tenant(), &server("api"));
    let error = body(&client(&local()), &ungranted, &elsewhere).await.unwrap_err();
    assert!(matches!(error, HttpError::Inject(_)), "{error}");
}

#[tokio::test]
async fn redirects_are_looked_at_like_requests_and_end() {
    let upstream = Upstream::start().await;
    let (injection, _) = injection(&[&upstream.host()]);
    let client = client(&local());
    for target in [
        "https://10.0.0.1/",
        "http://example.com/",
        "ftp://127.0.0.1/",
        "https://u:p@127.0.0.1/",
        "http://[bad",
    ] {
        let error = body(&client, &injection, &redirect(&upstream, target)).await.unwrap_err();
        assert_eq!(error, HttpError::RedirectRefused { from: "127.0.0.1".to_owned() }, "{target}");
    }
    let before = upstream.log.all().len();
    let error = body(&client, &injection, &upstream.url("/loop")).await.unwrap_err();
    assert_eq!(error, HttpError::TooManyRedirects { max: 5 });
    assert_eq!(upstream.log.all().len() - before, 6);
}

#[tokio::test]
async fn what_the_upstream_writes_into_a_redirect_is_not_in_the_error() {
    let upstream = Upstream::start().await;
    let store = MemoryStore::with(&[("key", "abcdefgh12345678")], &[&granted(&upstream.host())]);
    let injector = injector(&store, json!({ "bindings": [bound(&upstream.host())] }));
    let injection = injector.for_start(&tenant(), &server("api"));
    for target in
        ["https://{credential}.example.com/", "http://{credential}.example.com/{credential}"]
    {
        let error =
            body(&client(&local()), &injection, &redirect(&upstream, target)).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("abcdefgh"), "{shown}");
    }
}

#[tokio::test]
async fn a_body_with_secrets_stays_on_its_host() {
    let (upstream, other) = (Upstream::start().await, Upstream::start().await);
    let grant = "api: key in argument `/key` of tool `store`";
    let store = MemoryStore::with(&[("key", TOKEN)], &[grant]);
    let injector = injector(
        &store,
        json!({ "bindings": [{ "server": "api", "secret": "key", "sink": { "argument": { "tool": "store", "argument": "key" } } }] }),
    );
    let lenient = HttpSettings { cross_host: CrossHost::WithoutSecret, ..local() };
    for (status, arrives) in [(307, false), (308, false), (303, true), (302, true)] {
        let ledger = Arc::new(MemoryLedger::default());
        let decided = call("mcp__api__store", r#"{"key":"secret://key"}"#);
        let client = client(&lenient);
        let url =
            Url::parse(&format!("{}&status={status}", redirect(&upstream, &other.url("/echo"))))
                .unwrap();
        let before = other.log.all().len();
        let result = injector
            .run(&server("api"), permit(&decided, &ledger), |injection| async move {
                let arguments = injection.arguments().await?;
                let request = UpstreamRequest::new(http::Method::POST, url).arguments(arguments);
                client.send(&injection, request).await?.bytes().await
            })
            .await;
        assert_eq!(result.is_ok(), arrives, "{status}: {result:?}");
        let received = other.log.all().split_off(before);
        assert_eq!(received.len(), usize::from(arrives), "{status}");
        for request in received {
            assert_eq!((request.method.as_str(), request.body.len()), ("GET", 0), "{status}");
        }
    }
    let received = upstream.log.all();
    assert!(received.iter().all(|request| request.body == format!(r#"{{"key":"{TOKEN}"}}"#)));
}

#[tokio::test]
async fn t24_the_credentials_of_the_caller_are_not_passed_on() {
    let (upstream, other) = (Upstream::start().await, Upstream::start().await);
    let (injection, _) = injection(&[&upstream.host()]);
    let client = client(&local());
    for (upstream, expected) in [(&upstream, Some(format!("Bearer {TOKEN}"))), (&other, None)] {
        let mut headers = http::HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer client-token"),
            ("cookie", "session=client-token"),
            ("proxy-authorization", "Basic client-token"),
            ("x-api-key", "client-token"),
            ("x-custom", "client-token"),
            ("accept", "text/plain"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        let request = get(&upstream.url("/echo")).headers(headers);
        client.send(&injection, request).await.unwrap();
        let received = upstream.log.all().pop().unwrap();
        assert_eq!(received.header("authorization"), expected.as_deref());
        assert_eq!(received.header("accept"), Some("text/plain"));
        let mut names: Vec<_> = received.headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        names.retain(|name| *name != "authorization");
        assert_eq!(names, ["accept", "host", "traceparent", "user-agent"]);
        assert!(!format!("{received:?}").contains("client-token"));
    }
}

#[tokio::test]
async fn settings_cannot_pass_credentials_on() {
    for name in ["authorization", "Cookie", "x-api-key", "x-auth-token", "host", "a b"] {
        let forward = HttpSettings { forward_headers: [name.to_owned()].into(), ..local() };
        assert!(matches!(InjectingClient::new(&forward), Err(HttpError::Setting { .. })), "{name}");
    }
    let back = HttpSettings { return_headers: ["set-cookie".to_owned()].into(), ..local() };
    assert!(InjectingClient::new(&back).is_err());
    let host = HttpSettings { private_hosts: ["10.0.0.0/8".to_owned()].into(), ..local() };
    assert!(InjectingClient::new(&host).is_err());
    assert!(serde_json::from_value::<HttpSettings>(json!({ "private_host": [] })).is_err());
    let read: HttpSettings =
        serde_json::from_value(json!({ "cross_host": "without_secret" })).unwrap();
    assert_eq!(
        read,
        HttpSettings { cross_host: CrossHost::WithoutSecret, ..HttpSettings::default() }
    );
}

#[tokio::test]
async fn answers_are_bounded_and_readable() {
    let upstream = Upstream::start().await;
    let (injection, _) = injection(&[&upstream.host()]);
    let error = body(&client(&local()), &injection, &upstream.url("/big")).await.unwrap_err();
    assert_eq!(error, HttpError::TooLarge { max: 4 * 1024 * 1024 });
    let error = body(&client(&local()), &injection, &upstream.url("/zip")).await.unwrap_err();
    assert_eq!(error, HttpError::Compressed);
    let small = HttpSettings { max_body_bytes: 10, ..local() };
    let error = body(&client(&small), &injection, &upstream.url("/slow")).await.unwrap_err();
    assert_eq!(error, HttpError::TooLarge { max: 10 });
    let hasty = HttpSettings { timeout_ms: 20, ..local() };
    let error = body(&client(&hasty), &injection, &upstream.url("/slow")).await.unwrap_err();
    assert_eq!(error, HttpError::Timeout);
}

#[tokio::test]
async fn a_value_that_no_header_can_hold_is_refused_by_name() {
    let upstream = Upstream::start().await;
    let store =
        MemoryStore::with(&[("key", "line one\r\nx-admin: 1")], &[&granted(&upstream.host())]);
    let injector = injector(&store, json!({ "bindings": [bound(&upstream.host())] }));
    let injection = injector.for_start(&tenant(), &server("api"));
    let error = body(&client(&local()), &injection, &upstream.url("/echo")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "header `authorization` of host `{}` cannot hold the value: it has a character that is not allowed there",
            upstream.host()
        )
    );
    assert!(upstream.log.all().is_empty());
}

#[tokio::test]
async fn a_secret_that_is_not_granted_stops_the_request() {
    let upstream = Upstream::start().await;
    let store = MemoryStore::with(&[("key", TOKEN)], &[]);
    let injector = injector(
        &store,
        json!({ "servers": [{ "server": "api", "headers": [{
            "host": upstream.host(), "name": "x-key", "value": "v1 secret://key",
        }] }] }),
    );
    let ledger = Arc::new(MemoryLedger::default());
    let client = client(&local());
    let url = upstream.url("/echo");
    let result = injector
        .run(
            &server("api"),
            permit(&call("mcp__api__list", "{}"), &ledger),
            |injection| async move { client.send(&injection, get(&url)).await?.bytes().await },
        )
        .await;
    let Err(RunError::Tool(error)) = result else { panic!("{result:?}") };
    let place = format!("header `x-key` of host `{}`", upstream.host());
    let text = format!(
        "placeholder `secret://key` in {place}: secret `key` is not granted to server `api` for the {place}"
    );
    assert_eq!(error.to_string(), text);
    assert_eq!(ledger.only_outcome().error, Some(text));
    assert_eq!(upstream.log.all().len(), 0);
}
