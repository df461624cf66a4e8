use http::HeaderValue;

use super::*;

fn names() -> Names {
    Names::new(&ServerSection {
        hosts: vec!["gate.example.com".into(), "alt.example.com:8443".into()],
        origins: vec!["https://console.example.com".into()],
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
        ..ServerSection::default()
    })
}

fn check(uri: &str, headers: &[(&'static str, &str)], peer: &str) -> Result<(), NameFault> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let ends = Ends { peer: peer.parse().unwrap(), local: "192.0.2.7".parse().unwrap() };
    names().check(&uri.parse().unwrap(), &map, ends)
}

fn host(host: &str) -> Result<(), NameFault> {
    check("/", &[("host", host)], "127.0.0.1")
}

fn origin(origin: &str) -> Result<(), NameFault> {
    check("/", &[("host", "localhost"), ("origin", origin)], "127.0.0.1")
}

#[test]
fn our_names_are_ours() {
    for name in [
        "localhost",
        "LOCALHOST:80",
        "127.0.0.1",
        "127.0.0.1:8080",
        "[::1]",
        "[::1]:9",
        "192.0.2.7",
        "gate.example.com",
        "Gate.Example.Com:444",
        "alt.example.com:8443",
    ] {
        assert_eq!(host(name), Ok(()), "{name}");
    }
}

#[test]
fn other_names_are_not() {
    for name in [
        "evil.com",
        "localhost.evil.com",
        "localhost.",
        "127.0.0.1.evil.com",
        "127.0.0.2",
        "2130706433",
        "0.0.0.0",
        "[::2]",
        "192.0.2.8",
        "alt.example.com",
        "alt.example.com:1",
        "sub.gate.example.com",
    ] {
        assert_eq!(host(name), Err(NameFault::Host), "{name}");
    }
}

#[test]
fn what_is_no_host_is_malformed() {
    for name in [
        "",
        ":80",
        "a b",
        "user@localhost",
        "localhost:x",
        "localhost:99999",
        "[::1",
        "::1",
        "localhost/",
    ] {
        assert_eq!(host(name), Err(NameFault::HostForm), "{name}");
    }
    assert_eq!(check("/", &[], "127.0.0.1"), Err(NameFault::HostForm));
    let twice = [("host", "localhost"), ("host", "localhost")];
    assert_eq!(check("/", &twice, "127.0.0.1"), Err(NameFault::HostForm));
}

#[test]
fn an_absolute_form_must_agree_with_host() {
    let at = |uri: &str| check(uri, &[("host", "localhost:8080")], "127.0.0.1");
    assert_eq!(at("http://localhost:8080/x"), Ok(()));
    assert_eq!(at("http://evil.com/x"), Err(NameFault::HostConflict));
    assert_eq!(at("http://localhost:8081/x"), Err(NameFault::HostConflict));
}

#[test]
fn only_a_trusted_proxy_may_forward_another_host() {
    let at = |forwarded: &str, peer: &str| {
        check("/", &[("host", "localhost"), ("x-forwarded-host", forwarded)], peer)
    };
    assert_eq!(at("localhost", "198.51.100.1"), Ok(()));
    assert_eq!(at("gate.example.com", "198.51.100.1"), Err(NameFault::HostConflict));
    assert_eq!(at("gate.example.com", "10.1.2.3"), Ok(()));
    assert_eq!(at("evil.com", "10.1.2.3"), Err(NameFault::Host));
}

#[test]
fn origins_are_ours_or_configured() {
    for allowed in [
        "http://localhost:3000",
        "https://127.0.0.1",
        "http://[::1]:5173",
        "https://console.example.com",
        "https://gate.example.com",
    ] {
        assert_eq!(origin(allowed), Ok(()), "{allowed}");
    }
    for refused in [
        "null",
        "",
        "https://evil.com",
        "https://console.example.com.evil.com",
        "file://",
        "localhost",
        "http://console.example.com",
        "chrome-extension://abc",
        "http://localhost:3000/x",
        "http://evil@localhost",
    ] {
        assert_eq!(origin(refused), Err(NameFault::Origin), "{refused}");
    }
}
