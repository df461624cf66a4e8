use super::*;

#[test]
fn plain_identifiers_hold_visible_ascii_without_breakers() {
    assert_eq!(UserId::parse("alice@example.com").unwrap().as_str(), "alice@example.com");
    for bad in ["", "a b", "a/b", "a\\b", "a\"b", "a'b", "<a", "a>", "é", "a\n", "\u{7f}"] {
        assert!(UserId::parse(bad).is_err(), "{bad:?}");
    }
    assert!(UserId::parse(&"a".repeat(255)).is_ok());
    assert_eq!(
        UserId::parse(&"a".repeat(256)),
        Err(IdError::TooLong { kind: "UserId", length: 256, limit: 255 })
    );
}

#[test]
fn errors_never_repeat_the_text() {
    let error = UserId::parse("hunter2 hunter2").unwrap_err().to_string();
    assert!(!error.contains("hunter2"), "{error}");
}

#[test]
fn serde_validates() {
    assert!(serde_json::from_str::<UserId>("\"a b\"").is_err());
    let id: UserId = serde_json::from_str("\"al\\u0069ce\"").unwrap();
    assert_eq!(serde_json::to_string(&id).unwrap(), "\"alice\"");
}

#[test]
fn generated_identifiers_are_time_ordered() {
    let ids: Vec<_> = (0..1000).map(|_| CallId::generate()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn tool_and_server_names_have_their_own_alphabet() {
    assert!(ToolName::parse("mcp__github__list-repos.v2/a:b").is_ok());
    for bad in ["", "Read ", "R\u{435}ad", "a\u{200b}", "a*", "a@b", &"a".repeat(256)] {
        assert!(ToolName::parse(bad).is_err(), "{bad:?}");
    }
    assert!(ServerName::parse("git-hub.v2_x").is_ok());
    for bad in ["a__b", "a_", "_a", "_", "a/b", "a:b", ""] {
        assert!(ServerName::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn traceparent_follows_the_w3c_form() {
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = TraceId::from_traceparent(good).unwrap();
    assert_eq!(trace.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(TraceId::from_traceparent(&good.replacen("00", "cc", 1)).is_ok(), "future version");
    for bad in [
        "",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
    ] {
        assert!(TraceId::from_traceparent(bad).is_err(), "{bad}");
    }
}

#[test]
fn emails_urls_and_paths_are_validated() {
    assert_eq!(Email::parse("Bob@Example.COM").unwrap().as_str(), "Bob@example.com");
    for bad in ["bob", "@x.org", "bob@", "a@b@c", "bob@-x.org", "bob@x..org"] {
        assert!(Email::parse(bad).is_err(), "{bad}");
    }
    assert!(ValidatedUrl::parse("https://idp.example.com/jwks").is_ok());
    for bad in ["ftp://x", "https://u:p@x", "javascript:alert(1)", "/x", "https://"] {
        assert!(ValidatedUrl::parse(bad).is_err(), "{bad}");
    }
    assert!(ValidatedFilePath::parse("/etc/keys/jwks.json").is_ok());
    for bad in ["", "../x", "a/../../x", "a\0b", "a\\..\\b"] {
        assert!(ValidatedFilePath::parse(bad).is_err(), "{bad}");
    }
}
