//! Files that sops 3.11.0 has encrypted; `golden/README.md` says how they were made.

use systemprompt_core::secret::Secret;
use systemprompt_custody::sops::{SopsError, SopsFormat, SopsValue, decrypt};

macro_rules! golden {
    ($name:literal) => {
        include_str!(concat!("golden/", $name))
    };
}

const ALL_YAML: &str = golden!("all.yaml");
const PEM: &str = "-----BEGIN EXAMPLE-----\nline one\nline two\n-----END EXAMPLE-----\n";

fn identity() -> Secret<String> {
    Secret::new(golden!("identity.txt").to_owned())
}

fn read(text: &str, format: SopsFormat) -> Result<Vec<(String, String)>, SopsError> {
    let plain = |it: SopsValue| (it.path.join("."), it.value.expose().clone());
    Ok(decrypt(text.as_bytes(), format, &identity())?.into_iter().map(plain).collect())
}

fn is(found: &[(String, String)], expected: &[(&str, &str)]) {
    let found: Vec<_> = found.iter().map(|(path, value)| (&**path, &**value)).collect();
    assert_eq!(found, expected);
}

#[test]
fn yaml_is_read_in_its_order_and_what_is_in_clear_is_left_out() {
    let expected = [
        ("api_token", "token-for-golden-files"),
        ("database.password", "p@ss: word #1 ünïcödé \u{1F511}"),
        ("database.port", "5432"),
        ("database.ratio", "0.25"),
        ("database.debug", "true"),
        ("keys.0", "first"),
        ("keys.1", "second"),
        ("keys.2.name", "third"),
        ("keys.2.value", "deep"),
        ("pem", PEM),
    ];
    is(&read(ALL_YAML, SopsFormat::Yaml).unwrap(), &expected);
    // Of any recipient; here the first one of the file.
    let other = Secret::new(golden!("other.txt").to_owned());
    assert_eq!(decrypt(ALL_YAML.as_bytes(), SopsFormat::Yaml, &other).unwrap().len(), 10);
}

#[test]
fn json_is_read_in_its_order() {
    let expected = [
        ("api_token", "token-for-golden-files"),
        ("zeta.b", "second \"quoted\" \\ ü"),
        ("zeta.a", "first"),
        ("list.0", "one"),
        ("list.1.two", "zwei"),
        ("number", "42"),
        ("big", "12345678901"),
        ("float", "2.5"),
        ("flag", "false"),
    ];
    is(&read(golden!("all.json"), SopsFormat::Json).unwrap(), &expected);
}

#[test]
fn dotenv_is_read() {
    let expected = [
        ("API_TOKEN", "token-for-golden-files"),
        ("PASSWORD", "a=b \"quoted\" 'x' ünï"),
        ("LINES", "one\ntwo"),
    ];
    is(&read(golden!("all.env"), SopsFormat::Dotenv).unwrap(), &expected);
}

#[test]
fn some_values_and_several_documents_are_read() {
    let secret = ("api_token", "token-for-golden-files");
    let password = ("database.password", "p@ss: word #1 ünïcödé \u{1F511}");
    is(&read(golden!("regex.yaml"), SopsFormat::Yaml).unwrap(), &[secret, password]);
    is(&read(golden!("mac_only.yaml"), SopsFormat::Yaml).unwrap(), &[secret, password]);
    is(&read(golden!("multi.yaml"), SopsFormat::Yaml).unwrap(), &[("a", "one"), ("b", "two")]);
}

/// `text` with the first `from` replaced.
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn a_change_anywhere_is_refused() {
    let yaml = |text: &str| read(text, SopsFormat::Yaml).unwrap_err();
    let value = |line: &str| {
        let line = ALL_YAML.lines().find(|it| it.trim_start().starts_with(line)).unwrap();
        line.split_once(": ").map_or(line.trim_start_matches(['-', ' ']), |(_, value)| value)
    };
    // A value at another place, in its own form and in that of another.
    let token = value("api_token:");
    let moved = changed(ALL_YAML, value("password:"), token);
    assert_eq!(yaml(&moved), SopsError::Value("database.password".to_owned()));
    let renamed = changed(ALL_YAML, "api_token:", "other_token:");
    assert_eq!(yaml(&renamed), SopsError::Value("other_token".to_owned()));
    // In clear, added, left out, in another order; items of a list are bound to the list alone.
    assert_eq!(
        yaml(&changed(ALL_YAML, "retries_unencrypted: 3", "retries_unencrypted: 4")),
        SopsError::Mac
    );
    assert_eq!(yaml(&changed(ALL_YAML, token, "in clear")), SopsError::Mac);
    assert_eq!(yaml(&format!("added: x\n{ALL_YAML}")), SopsError::Mac);
    let pem_line = ALL_YAML.lines().find(|line| line.starts_with("pem:")).unwrap();
    assert_eq!(yaml(&changed(ALL_YAML, &format!("{pem_line}\n"), "")), SopsError::Mac);
    let items: Vec<_> = ALL_YAML.lines().filter(|line| line.starts_with("    - ENC")).collect();
    let swapped = changed(ALL_YAML, items[0], "    - ITEM");
    let swapped = changed(&changed(&swapped, items[1], items[0]), "    - ITEM", items[1]);
    assert_eq!(yaml(&swapped), SopsError::Mac);
    // What sops says of itself.
    let date = ALL_YAML.lines().find(|line| line.contains("lastmodified")).unwrap();
    assert_eq!(
        yaml(&changed(ALL_YAML, date, "    lastmodified: \"2020-01-01T00:00:00Z\"")),
        SopsError::Mac
    );
    assert_eq!(yaml(&changed(ALL_YAML, value("mac:"), token)), SopsError::Mac);
    let only = changed(
        ALL_YAML,
        "    unencrypted_suffix",
        "    mac_only_encrypted: true\n    unencrypted_suffix",
    );
    assert_eq!(yaml(&only), SopsError::Mac);
    let without = changed(golden!("mac_only.yaml"), "    mac_only_encrypted: true\n", "");
    assert_eq!(yaml(&without), SopsError::Mac);
    // Of a MAC over encrypted values alone, what is in clear is not part, and no secret.
    let clear = changed(golden!("mac_only.yaml"), "port: 5432", "port: 1");
    assert_eq!(read(&clear, SopsFormat::Yaml).unwrap().len(), 2);
}

#[test]
fn every_byte_of_a_value_counts() {
    let line = ALL_YAML.lines().find(|line| line.starts_with("api_token:")).unwrap();
    for at in line.find("data:").unwrap()..line.len() {
        let mut bytes = line.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let text = changed(ALL_YAML, line, &String::from_utf8(bytes).unwrap());
        let refused = read(&text, SopsFormat::Yaml);
        // A letter of base64 beyond the last byte means nothing; the decoder refuses it all the same.
        assert!(refused.is_err(), "byte {at}");
    }
    for end in 0..line.len() {
        let text = changed(ALL_YAML, line, &line[..end]);
        assert!(read(&text, SopsFormat::Yaml).is_err(), "{end} bytes");
    }
}

#[test]
fn what_cannot_be_read_is_said_without_values() {
    let wrong = |text: &str, format| read(text, format).unwrap_err();
    assert_eq!(wrong("a: b\n", SopsFormat::Yaml), SopsError::NotSops("sops"));
    assert_eq!(wrong("{\"a\": 1, \"sops\": {}}", SopsFormat::Json), SopsError::NotSops("mac"));
    assert_eq!(wrong("A=b\n", SopsFormat::Dotenv), SopsError::NotSops("mac"));
    assert_eq!(wrong(golden!("groups.yaml"), SopsFormat::Yaml), SopsError::KeyGroups);
    let no_age = "a: b\nsops: {mac: x, lastmodified: y}\n";
    assert_eq!(wrong(no_age, SopsFormat::Yaml), SopsError::NoAge);
    let stranger = "AGE-SECRET-KEY-176KZNC66HF25RUT2MDLEP2RHHHDW7EWK49X5U93EYXWX6W2G46JQGS8MP2";
    let stranger = Secret::new(stranger.to_owned());
    let refused = decrypt(ALL_YAML.as_bytes(), SopsFormat::Yaml, &stranger).unwrap_err();
    assert!(matches!(refused, SopsError::Identity(_)), "{refused}");
    for (text, format) in [
        ("a: [hunter2", SopsFormat::Yaml),
        ("a: &x hunter2\nb: *x\n", SopsFormat::Yaml),
        ("a: !t hunter2\n", SopsFormat::Yaml),
        ("a: hunter2\na: hunter2\n", SopsFormat::Yaml),
        ("? [hunter2]\n: x\n", SopsFormat::Yaml),
        ("- hunter2\n", SopsFormat::Yaml),
        ("hunter2", SopsFormat::Json),
        ("{\"a\": 1, \"a\": \"hunter2\"}", SopsFormat::Json),
        ("hunter2", SopsFormat::Dotenv),
        ("A=hunter2\nA=hunter2\n", SopsFormat::Dotenv),
    ] {
        let error = wrong(text, format);
        assert!(matches!(error, SopsError::Syntax(_)), "{text}: {error:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    assert!(matches!(wrong(&format!("a: {deep}"), SopsFormat::Yaml), SopsError::Syntax(_)));
    assert!(matches!(wrong(&deep.repeat(3), SopsFormat::Json), SopsError::Syntax(_)));
    let binary = decrypt(b"\xff", SopsFormat::Yaml, &identity()).unwrap_err();
    assert!(matches!(binary, SopsError::Syntax(_)));
    let long = vec![b'a'; 4 * 1024 * 1024 + 1];
    assert_eq!(decrypt(&long, SopsFormat::Dotenv, &identity()).unwrap_err(), SopsError::TooLong);
}

#[test]
fn formats_are_told_by_the_ending() {
    for (name, format) in [
        ("a/b.yaml", Some(SopsFormat::Yaml)),
        ("b.enc.yml", Some(SopsFormat::Yaml)),
        ("b.json", Some(SopsFormat::Json)),
        ("prod.env", Some(SopsFormat::Dotenv)),
        ("b.ini", None),
        ("secrets", None),
    ] {
        assert_eq!(SopsFormat::of(name.as_ref()), format, "{name}");
    }
}
