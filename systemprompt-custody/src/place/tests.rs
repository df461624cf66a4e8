use super::*;

#[test]
fn a_place_has_one_spelling() {
    let place = Place::header("API.Example.com:8443", "X-Api-Key").unwrap();
    let spelled = Place::Header { host: "api.example.com:8443".into(), header: "x-api-key".into() };
    assert_eq!(place, spelled);
    assert_eq!(
        Place::of(Sink::Header { host: "API.example.com:8443", header: "X-API-KEY" }),
        spelled
    );
    assert_eq!(place.to_string(), "header `x-api-key` of host `api.example.com:8443`");
    assert_eq!(Place::env("Gh_Token").unwrap(), Place::Env { variable: "Gh_Token".into() });
    let long = Place::header("[0:0::0:1]:8080", "x").unwrap();
    assert_eq!(long, Place::Header { host: "[::1]:8080".into(), header: "x".into() });
    for good in ["localhost", "127.0.0.1:9000", "[::1]", "[::1]:8080", "xn--bcher-kva.example"] {
        Place::header(good, "authorization").unwrap();
    }
}

#[test]
fn what_is_no_place_is_refused() {
    for host in [
        "",
        ".",
        "a..b",
        "a.",
        "https://a",
        "a/b",
        "a b",
        "a@b",
        "a:",
        "a:x",
        "a:0",
        "a:65536",
        "a:080",
        "*.example.com",
        "bücher.example",
        "[::1",
        "[::g]",
        "[::1]x",
        "[::1]:",
        "a\r\nb",
    ] {
        let refused = Place::header(host, "authorization");
        assert!(matches!(refused, Err(PlaceError::Host(_))), "{host:?}: {refused:?}");
    }
    for host in ["a:443", "a:80", "[::1]:443"] {
        assert!(matches!(Place::header(host, "x"), Err(PlaceError::Port(_))), "{host}");
    }
    for header in ["", "a b", "a:", "é", "a\n"] {
        assert!(matches!(Place::header("a", header), Err(PlaceError::Header(_))), "{header:?}");
    }
    for argument in ["", "token", "/a~", "/a~2b", "/a\n"] {
        let refused = Place::argument("call", argument);
        assert!(matches!(refused, Err(PlaceError::Argument(_))), "{argument:?}");
    }
    assert!(matches!(Place::argument("a b", "/x"), Err(PlaceError::Tool(_))));
    assert!(Place::argument("call", "/headers/x~1y~0z/0").is_ok());
    for variable in ["", "1A", "A-B", "A=B", "A\0", "Ä"] {
        assert!(matches!(Place::env(variable), Err(PlaceError::Variable(_))), "{variable:?}");
    }
}
