use std::sync::LazyLock;

use super::*;

mod benign;
#[path = "../../../tests/corpus/dice.rs"]
mod dice;
mod encodings;
mod laws;
mod samples;

pub(in crate::secret) fn scanner() -> Scanner {
    static SHARED: LazyLock<Scanner> =
        LazyLock::new(|| Scanner::builder().fingerprint_key(&[7; 32]).build().unwrap());
    SHARED.clone()
}

fn arguments(text: &str) -> Arguments {
    Arguments::parse(text.as_bytes().to_vec()).unwrap()
}

#[test]
fn a_short_key_and_rules_that_cannot_be_disabled_are_refused() {
    assert_eq!(Scanner::builder().build().unwrap_err(), ScannerError::KeyTooShort { bytes: 0 });
    let error = Scanner::builder().fingerprint_key(&[1; 16]).disable(["aws"]).build().unwrap_err();
    assert_eq!(error.to_string(), "no secret rule is called `aws`");
    let error =
        Scanner::builder().fingerprint_key(&[1; 16]).disable(["scan-budget"]).build().unwrap_err();
    assert_eq!(error.to_string(), "the secret rule `scan-budget` cannot be turned off");
}

#[test]
fn secrets_are_found_wherever_they_stand_and_the_path_tells_none() {
    let id = format!("{}{}", "AKIA", "IOSFODNN7EXAMPLE");
    for (document, path) in [
        (format!(r#"{{"a": "{id}"}}"#), "$.a"),
        (format!(r#"{{"a": {{"{id}": 1}}}}"#), "$.a[key:0]"),
        (format!(r#"{{"{id}": {{"x y": "{id}"}}}}"#), "$[key:0]"),
        (format!(r#"{{"env": [0, 1, {{"x y": "id {id}, ok"}}]}}"#), r#"$.env[2]["x y"]"#),
        (format!(r#"{{"prompt": "please use {id} for it"}}"#), "$.prompt"),
        (format!(r#"{{"a": "\u0041{}"}}"#, &id[1..]), "$.a"),
        (format!("\"{id}\""), "$"),
    ] {
        let finding = scanner().scan_arguments(&arguments(&document)).unwrap();
        assert_eq!(&*finding.rule, "aws-access-key-id", "{document}");
        assert_eq!(finding.location.as_str(), path, "{document}");
        assert!(!finding.fingerprint.contains("AKIA"));
    }
}

#[test]
fn passwords_are_seen_behind_all_kinds_of_names() {
    for text in [
        "- name: DB_PASSWORD\n  value: \"hunter2\"",
        "<add key=\"dbPassword\" value=\"hunter2\" />",
        "user.setPassword(\"hunter2!\")",
        "let password: &str = \"hunter2\";",
        "var dbPassword string = \"hunter2\"",
        "const password: string = 'hunter2';",
        "define('DB_PASSWORD', 's3cr3t-pw');",
        "System.setProperty(\"db.password\", \"P@ssw0rd123\")",
        "| db_password | `P@ssw0rd123` |",
        "machine h login me password hunter2",
        "CREATE ROLE app LOGIN PASSWORD 'hunter2';",
        "<password>\n    hunter2\n</password>",
        "$db_pass .= \"hunter2\";",
        "@passphrase ||= \"hunter2\"",
    ] {
        assert!(scanner().scan_text(text).is_some(), "{text}");
    }
    for text in [
        "[\"password\", \"token1\", \"field2\"]",
        "fields = ('password', 'password2')",
        "password: string; confirm2: string",
        "t(\"password\", \"Passwort2\")",
        "func checkPassword(hash string, cost2 int)",
    ] {
        assert_eq!(scanner().scan_text(text), None, "{text}");
    }
}
