use proptest::prelude::*;

use super::*;
use crate::policy::PolicyFault;

fn environment() -> Environment {
    Environment::empty().with("PORT", "9000").with("TOKEN", "hunter2-hunter2").with("YES", "true")
}

fn parsed(text: &str) -> Result<LoadedProfile, ConfigError> {
    parse(text, "profile.yaml", &environment())
}

fn profile(text: &str) -> Profile {
    parsed(text).unwrap_or_else(|error| panic!("{error}")).profile
}

/// The diagnostics, one per line.
fn wrong(text: &str) -> String {
    parsed(text).expect_err("should be refused").to_string()
}

#[test]
fn the_least_profile_has_every_default() {
    assert_eq!(profile("profile: p"), Profile::new("p".parse().unwrap()));
    assert_eq!(profile("{\"profile\": \"p\", \"server\": {}}"), Profile::new("p".parse().unwrap()));
}

#[test]
fn an_empty_file_is_no_profile() {
    for text in ["", "# nothing\n", "{}"] {
        assert_eq!(wrong(text), "profile.yaml:1:1: missing key `profile`", "{text:?}");
    }
    for text in ["---\n", "---\n...\n", "~"] {
        assert!(wrong(text).ends_with("missing key `profile`"), "{text:?}");
    }
}

#[test]
fn the_starter_profile_loads_and_is_what_it_says() {
    let Profile { governance: policy, models, .. } = profile(STARTER_PROFILE);
    let rules: Vec<_> = policy.rules.iter().map(|rule| (&rule.tools, &rule.scopes)).collect();
    assert_eq!(rules[0], (&vec!["mcp__systemprompt__*".into()], &vec!["admin".into()]));
    assert_eq!(rules[1], (&vec!["*".into()], &vec!["tools:use".into()]));
    assert_eq!(policy.rules[1].except, ["mcp__systemprompt__*"]);
    assert_eq!(
        policy.blocklists[0].patterns,
        ["delete", "drop", "destroy", "truncate", "wipe", "purge", "shutdown"]
    );
    let limit = &policy.limits[0];
    assert_eq!((limit.limit, limit.window_s, limit.burst), (300, 60, Some(300)));
    assert_eq!(limit.id, "session");
    assert_eq!(policy.agents[0].id, "developer_agent");
    assert_eq!(policy.agents[0].scopes, ["admin"]);
    assert!(policy.agents[1].everyone && policy.agents[1].id == "associate_agent");
    assert_eq!(models.providers["echo"], ProviderConfig::new(ProviderKind::Echo));
    assert!(models.routes[0].matching.pattern.matches("echo"));
    assert_eq!(models.routes[0].provider.as_deref(), Some("echo"));
}

#[test]
fn unknown_keys_name_place_and_nearest_spelling() {
    assert_eq!(
        wrong("profile: p\ngovernance:\n  limts: []\n"),
        "profile.yaml:3:3: unknown key `limts` in `governance`; did you mean `limits`?"
    );
    assert_eq!(
        wrong("profile: p\nsevrer: {}\n"),
        "profile.yaml:2:1: unknown key `sevrer`; did you mean `server`?"
    );
    assert!(
        wrong("profile: p\nlogging:\n  colour: true\n")
            .ends_with("3:3: unknown key `colour` in `logging`; expected one of `level`, `format`")
    );
}

#[test]
fn everything_wrong_is_reported_at_once_and_once() {
    let text = "\
profile: p
server:
  addr: nowhere
  bdoy_limit_bytes: 1
  max_connections: many
database:
  url: mysql://u:secret@h/db
governance:
  rules:
    - id: a
      tols: []
    - id: b
      tools: [x]
      effect: alow
    - {id: c, tools: x}
  limits:
    - {id: l, key: [sesion], limit: -1, window_s: 1}
logging:
  level: loud
";
    assert_eq!(
        wrong(text),
        "\
profile.yaml:3:9: `server.addr`: invalid socket address syntax
profile.yaml:4:3: unknown key `bdoy_limit_bytes` in `server`; did you mean `body_limit_bytes`?
profile.yaml:5:20: `server.max_connections`: expected a whole number, not negative, found a text
profile.yaml:7:8: `database.url`: a database is given as `sqlite://` and a path, or as `postgres://user@host/database`
profile.yaml:11:7: unknown key `tols` in `governance.rules[0]`; did you mean `tools`?
profile.yaml:14:15: `governance.rules[1].effect`: unknown value `alow`; did you mean `allow`?
profile.yaml:15:22: `governance.rules[2].tools`: expected a list, found a text
profile.yaml:17:21: `governance.limits[0].key[0]`: unknown value `sesion`; did you mean `session`?
profile.yaml:17:37: `governance.limits[0].limit`: expected a whole number, not negative
profile.yaml:19:10: `logging.level`: unknown value `loud`; expected one of `off`, `error`, `warn`, \
`info`, `debug`, `trace`"
    );
}

#[test]
fn missing_keys_name_their_section() {
    assert_eq!(
        wrong("profile: p\ngovernance:\n  rules:\n    - id: a\n"),
        "profile.yaml:4:7: missing key `tools` in `governance.rules[0]`"
    );
}

#[test]
fn structure_that_could_surprise_is_refused() {
    for (text, problem) in [
        ("profile: p\nprofile: q", "2:1: key `profile` is already given in line 1"),
        ("profile: &a p", "1:10: anchors (`&name`) are not supported"),
        ("profile: p\nserver: *a", "this is not YAML"),
        ("profile: !secret p", "1:10: tags (`!name`) are not supported"),
        ("profile: p\n---\nprofile: q\n", "a second document begins here"),
        ("profile: p\n<<: {}", "merge keys (`<<`) are not supported"),
        ("profile: p\n? [a]\n: b", "a key is a plain text"),
        ("profile: [", "this is not YAML"),
        ("profile: p\nserver: {addr: ${PORT}}", "a text with `${...}` must be quoted"),
        ("profile: p\nlogging: [debug, json]", "`logging`: expected a mapping, found a list"),
        ("- profile", "the profile: expected a mapping, found a list"),
        ("profile", "the profile: expected a mapping, found a text"),
    ] {
        let error = wrong(text);
        assert!(error.contains(problem), "{text:?} gave {error}");
        assert!(error.starts_with("profile.yaml:"), "{error}");
    }
    let deep = |levels| wrong(&format!("profile: {}", "[".repeat(levels)));
    assert!(deep(70).contains("nested deeper than 64 levels"));
    assert!(deep(100_000).starts_with("profile.yaml:1:"));
    let many = format!("profile: p\nextensions: {{disabled: [{}]}}", "a, ".repeat(10_000));
    assert_eq!(parsed(&many).unwrap_err().diagnostics().len(), 50);
    let long = format!("profile: p\n#{}", "x".repeat(1 << 20));
    assert_eq!(wrong(&long), "profile.yaml: the profile is longer than 1048576 bytes");
}

#[test]
fn variables_are_filled_in_after_parsing() {
    let text = "\
profile: \"${NAME:-p}\"
server:
  addr: 127.0.0.1:${PORT}
  max_connections: ${PORT}
  hosts: ['${HOST:-a.example.com}']
governance:
  enabled: ${YES}
extensions:
  config:
    e:
      a: $${PORT}
      b: '${PORT}'
      c: ${PORT}
";
    let profile = profile(text);
    assert_eq!(profile.server.addr.port(), 9000);
    assert_eq!(profile.server.max_connections, 9000);
    assert_eq!(profile.server.hosts, ["a.example.com"]);
    assert_eq!(
        profile.extensions.config["e"],
        serde_json::json!({"a": "${PORT}", "b": "9000", "c": 9000})
    );
}

#[test]
fn a_variable_never_becomes_structure_or_appears_in_an_error() {
    let hostile = "x]\nserver: {addr: 0.0.0.0:1}\n# ";
    let environment = Environment::empty().with("EVIL", hostile).with("NONE", "null");
    let text = "profile: p\naudit:\n  origin: ${NONE}\nextensions: {disabled: ['${EVIL}']}";
    let loaded = parse(text, "p.yaml", &environment).unwrap();
    assert_eq!(loaded.profile.extensions.disabled, [hostile]);
    assert_eq!(loaded.profile.audit.origin.as_deref(), Some("null"));
    for text in [
        "profile: p\nlogging: {level: '${TOKEN}'}",
        "profile: p\nlogging:\n  level: ${TOKEN}",
        "profile: p\nserver: {addr: '${TOKEN}'}",
        "profile: p\nserver: {addr: ['${TOKEN}']}",
        "profile: p\nserver: {max_connections: '${TOKEN}'}",
        "profile: ${TOKEN}/",
        "profile: p\nsecrets:\n  fingerprint_key: ${TOKEN}",
        "profile: p\nidentity: {issuers: [{jwks: {file: a, '${TOKEN}': b}}]}",
        "profile: p\nserver: {hosts: ['${TOKEN}/']}",
        "profile: p\nserver: {hosts: ['${TOKEN}', '${TOKEN}']}",
        "profile: p\ndatabase: {url: '${TOKEN}'}",
    ] {
        assert!(!wrong(text).contains("hunter2"), "{}", wrong(text));
    }
}

#[test]
fn an_unset_variable_is_an_error_with_its_name_and_place() {
    let error = wrong("profile: p\nserver:\n  addr: '${GATEWAY_ADDR}'\n  hots: []\n");
    let lines: Vec<_> = error.lines().collect();
    assert!(lines[0].starts_with(
        "profile.yaml:3:9: `server.addr`: the environment variable `GATEWAY_ADDR` is not set"
    ));
    assert!(lines[1].starts_with("profile.yaml:4:3: unknown key `hots`"), "{error}");
    assert_eq!(lines.len(), 2);
}

#[test]
fn a_literal_secret_is_refused_without_being_repeated() {
    for literal in ["hunter2-hunter2", "'1234'", "1234", "true"] {
        let error = wrong(&format!("profile: p\nsecrets:\n  fingerprint_key: {literal}\n"));
        assert_eq!(
            error,
            "profile.yaml:3:20: `secrets.fingerprint_key`: a secret is never written into the \
             profile; refer to it by `{env: VARIABLE}` or `{file: path}`"
        );
    }
    for literal in ["hunter2-hunter2", "'1234'", "1234", "true"] {
        let error = wrong(&format!("profile: p\naudit: {{encryption: {{key: {literal}}}}}\n"));
        assert!(error.contains("a key is never written into the profile"), "{error}");
        assert!(!error.contains("1234") && !error.contains("hunter2"), "{error}");
        let error = wrong(&format!("profile: p\ncustody: {{key: {literal}}}\n"));
        assert!(error.contains("a key is never written into the profile"), "{error}");
        assert!(!error.contains("1234") && !error.contains("hunter2"), "{error}");
    }
    let key = |reference: &str| {
        profile(&format!("profile: p\nsecrets: {{fingerprint_key: {reference}}}"))
            .secrets
            .fingerprint_key
    };
    assert_eq!(key("{env: KEY}"), Some(SecretRef::Env("KEY".into())));
    assert_eq!(key("{file: a/b}"), Some(SecretRef::File("a/b".into())));
    assert_eq!(key("~"), None);
    assert_eq!(
        wrong("profile: p\nsecrets: {fingerprint_key: {evn: KEY}}"),
        "profile.yaml:2:29: unknown key `evn` in `secrets.fingerprint_key`; did you mean `env`?"
    );
    assert!(
        wrong("profile: p\nsecrets: {fingerprint_key: {env: A, file: b}}").contains("one source")
    );
}

const ISSUER: &str = "
  - issuer: https://id.example.com
    algorithms: [RS256]
    jwks: {url: 'https://id.example.com/keys'}
    audiences: {api: [gateway]}
    tenant: acme
";

#[test]
fn issuers_are_pinned() {
    let identity = profile(&format!("profile: p\nidentity:\n  issuers:{ISSUER}")).identity;
    let issuer = &identity.issuers[0];
    assert_eq!((issuer.user_claim.as_str(), issuer.allow_aud_array), ("sub", false));
    let twice = format!("profile: p\nidentity:\n  issuers:{ISSUER}{ISSUER}");
    assert_eq!(
        wrong(&twice),
        "profile.yaml:10:13: `identity.issuers[1].issuer`: is the same as \
         `identity.issuers[0].issuer`"
    );
    for (from, to, problem) in [
        ("https://id.example.com/keys", "http://id.example.com/keys", "must be an `https` URL"),
        ("[RS256]", "[]", "at least one algorithm"),
        ("[RS256]", "[HS256]", "unknown value `HS256`"),
        ("[gateway]", "[]", "at least one surface"),
        ("url:", "uri:", "unknown key `uri` in `identity.issuers[0].jwks`; did you mean `url`?"),
        ("{url: 'https://id.example.com/keys'}", "{}", "exactly one of `file`, `url`"),
    ] {
        let text = format!("profile: p\nidentity:\n  issuers:{}", ISSUER.replace(from, to));
        let error = wrong(&text);
        assert!(error.contains(problem), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn ranges_names_and_addresses_are_checked() {
    for (text, problem) in [
        ("server: {body_limit_bytes: 0}", "must be 1024 to 67108864, not 0"),
        ("server: {addr: '8080'}", "invalid socket address"),
        ("server: {hosts: ['*.example.com']}", "must be a host name"),
        ("server: {hosts: ['https://example.com']}", "must be a host name"),
        ("server: {hosts: ['example.com:80']}", "must be a host name"),
        ("server: {hosts: [Example.com]}", "normal form, `example.com`"),
        ("server: {hosts: [a.com, a.com]}", "`server.hosts[1]`: is the same as `server.hosts[0]`"),
        ("server: {origins: [example.com]}", "must be an origin"),
        ("server: {origins: ['*']}", "must be an origin"),
        ("server: {origins: ['https://a.com/']}", "normal form, `https://a.com`"),
        ("server: {origins: ['https://a.com/x']}", "must be an origin"),
        ("server: {trusted_proxies: [10.0.0.1/8]}", "did you mean `10.0.0.0/8`?"),
        ("database: {url: 'sqlite::memory:'}", "given as `sqlite://` and a path"),
        ("database: {max_connections: 0}", "must be 1 to 1000"),
        ("audit: {origin: 'a b'}", "must be 1 to 64"),
        (
            "audit: {checkpoints: [{witness: {url: 'http://w.example.com', key: a}}]}",
            "without a query",
        ),
        (
            "audit: {checkpoints: [{witness: {url: 'https://w.example.com', key: 'w+01020304+AQAA'}}]}",
            "with the signature type 0x04",
        ),
        ("audit: {checkpoints: [{witness: {url: 'https://w.example.com'}}]}", "key"),
        ("audit: {encryption: {key: {env: 'A=B'}}}", "the name of an environment variable"),
        ("audit: {encryption: {key: {file: ''}}}", "must not be empty"),
        ("audit: {encryption: {key: {file: a, env: b}}}", "a key has one source"),
        (
            "audit: {encryption: {key: {vault: {url: 'http://v.example.com', name: k, token: {env: T}}}}}",
            "must be an `https` URL",
        ),
        (
            "audit: {encryption: {key: {vault: {url: 'https://v.example.com', name: 'a/b', token: {env: T}}}}}",
            "must be the name of a key",
        ),
        (
            "audit: {encryption: {key: {vault: {url: 'https://v.example.com', name: k, mount: 'a/../b', token: {env: T}}}}}",
            "must be the path of a mounted engine",
        ),
        (
            "audit: {encryption: {key: {vault: {url: 'https://v.example.com', name: k, token: {env: T}, time: 1}}}}",
            "unknown key `time`",
        ),
        ("audit: {encryption: {kye: {env: T}}}", "did you mean `key`?"),
        ("custody: {key: {env: 'A=B'}}", "the name of an environment variable"),
        ("custody: {key: {file: ''}}", "must not be empty"),
        ("custody: {key: {age: {file: '', identity: {env: T}}}}", "must not be empty"),
        (
            "custody: {key: {vault: {url: 'http://v.example.com', name: k, token: {env: T}}}}",
            "must be an `https` URL",
        ),
        ("custody: {kye: {env: T}}", "did you mean `key`?"),
        ("injection: {http: {timeout_ms: 0}}", "must be 1 to 3600000, not 0"),
        ("injection: {process: {output_bytes: 0}}", "must be 1 to 1073741824, not 0"),
        ("injection: {http: {corss_host: fail}}", "did you mean `cross_host`?"),
        (
            "injection: {bindings: [{server: s, secret: 'a@0', sink: {env: {variable: T}}}]}",
            "a version is a number from 1",
        ),
        ("audit: {retention: {age: 59m}}", "must be at least `1h`"),
        ("audit: {retention: {age: 400}}", "audit.retention.age"),
        ("audit: {retention: {age: 400y}}", "followed by `d`, `h` or `m`"),
        ("audit: {retention: {size: 10GB}}", "followed by `MiB`, `GiB` or `TiB`"),
        ("audit: {retention: {size: 0MiB}}", "must be at least `1MiB`"),
        ("identity: {revocation_poll_ms: 501}", "must be 10 to 500"),
        ("secrets: {fingerprint_key: {file: ''}}", "must not be empty"),
    ] {
        let error = wrong(&format!("profile: p\n{text}"));
        assert!(error.contains(problem) && error.starts_with("profile.yaml:2:"), "{error}");
    }
}

#[test]
fn late_faults_find_their_place() {
    let loaded = parsed(
        "profile: p\ngovernance:\n  rules:\n    - id: a\n      tools: [x]\n      agents: [b, c]\n",
    )
    .unwrap();
    let fault = |path: &str| PolicyFault { path: path.into(), problem: "unknown agent".into() };
    let error = loaded.policy_error(&[fault("rules[0].agents[1]"), fault("rules[0].roles[3]")]);
    assert_eq!(
        error.to_string(),
        "profile.yaml:4:7: `governance.rules[0].roles[3]`: unknown agent\n\
         profile.yaml:6:19: `governance.rules[0].agents[1]`: unknown agent"
    );
    let whole = loaded.policy_error(&[fault("")]).to_string();
    assert_eq!(whole, "profile.yaml:2:1: `governance`: unknown agent");
    assert_eq!(error.diagnostics()[1].path, "governance.rules[0].agents[1]");
    assert_eq!(loaded.sources.find("governance.rules[7]"), None);
    assert_eq!(loaded.sources.locate("governance.rules[7]").unwrap().line, 3);
    assert_eq!(loaded.sources.find("governance.rulesx"), None);
}

#[test]
fn late_faults_do_not_show_what_variables_hold() {
    let text = "profile: p\ngovernance:\n  agents:\n    - id: a\n      scopes: ['${TOKEN}', plain]\n\
                extensions: {config: {e: {port: '${TOKEN}'}}}\n";
    let loaded = parsed(text).unwrap();
    let value = loaded.profile.governance.agents[0].scopes[0].clone();
    assert!(value.len() > 4);
    let show = |path: &str, problem: String| loaded.diagnostic(path, &problem).message;
    for (path, problem) in [
        ("governance.agents[0].scopes[0]", format!("unknown scope `{value}`")),
        ("governance.agents[0].scopes[0]", format!("normal form `{}`", value.to_uppercase())),
        ("governance.agents[0].scopes[1]", format!("unknown; did you mean `{value}`?")),
        ("extensions.config.e.port", format!("invalid type: string \"{value}\", expected u16")),
        ("extensions.config.e", format!("the port is {value}")),
        ("", format!("somewhere there is {value}")),
    ] {
        let shown = show(path, problem);
        assert!(!shown.to_lowercase().contains(&value.to_lowercase()), "{shown}");
        assert!(shown.contains("${...}"), "{shown}");
    }
    assert!(!format!("{:?}", loaded.sources).contains(&value));
    let plain = show("governance.agents[0].scopes[1]", "unknown scope `plain`".into());
    assert_eq!(plain, "`governance.agents[0].scopes[1]`: unknown scope `plain`");

    let error = wrong("profile: '${TOKEN} no id'");
    assert!(!error.contains(&value), "{error}");
}

#[test]
fn keys_with_dots_are_found() {
    let text = "profile: p\nextensions:\n  config:\n    a: {b: 1}\n    a.b: {c: 2}\n";
    let loaded = parsed(text).unwrap();
    assert_eq!(loaded.sources.find("extensions.config.a.b.c").unwrap().line, 5);
}

#[test]
fn loading_takes_paths_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("profile.yaml");
    std::fs::write(
        &path,
        "profile: p\nsecrets: {fingerprint_key: {file: keys/f}}\ncustody: {key: {file: keys/c}}",
    )
    .unwrap();
    let profile = load(&path, &environment()).unwrap().profile;
    assert_eq!(profile.database.url.path().unwrap(), folder.path().join("systemprompt.db"));
    let key = folder.path().join("keys/f");
    assert_eq!(profile.secrets.fingerprint_key, Some(SecretRef::File(key)));
    let key = folder.path().join("keys/c");
    assert_eq!(profile.custody.key, Some(KeyEncryptionRef::File(key)));

    let missing = load(folder.path().join("none.yaml"), &environment()).unwrap_err();
    assert!(missing.to_string().contains("none.yaml: cannot be read"), "{missing}");
    std::fs::write(&path, b"profile: \xff").unwrap();
    let binary = load(&path, &environment()).unwrap_err();
    assert!(binary.to_string().contains("is not UTF-8 at byte 9"), "{binary}");
}

#[test]
fn what_is_shown_can_be_loaded_again_and_holds_no_secret() {
    let text = format!(
        "profile: p\nidentity:\n  issuers:{ISSUER}\nsecrets: {{fingerprint_key: {{env: KEY}}}}\n\
         server: {{hosts: ['1.2.3.4', a.b], trusted_proxies: [10.0.0.0/8, '::1']}}\n\
         extensions: {{config: {{e: {{key: '${{TOKEN}}', port: \"${{PORT}}\", list: [[1], [], {{}}], \
         odd: \"'\\n: # \\\"$${{X}}\", no: 'no', n: '012', t: 'true', z: ~, k: {{'a b': -1.5}}}}}}}}\n"
    );
    let loaded = parsed(&text).unwrap();
    let yaml = loaded.to_yaml().unwrap();
    let again = parsed(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    assert_eq!(again.profile, loaded.profile, "{yaml}");
    let json = loaded.to_json().unwrap();
    assert_eq!(json["secrets"]["fingerprint_key"]["env"], "KEY");
    assert_eq!(json["extensions"]["config"]["e"]["key"], "${TOKEN}");
    assert!(!yaml.contains("hunter2") && !json.to_string().contains("hunter2"));
    assert!(yaml.starts_with("profile: p\nserver:\n  addr: \"127.0.0.1:8080\"\n"), "{yaml}");
}

#[test]
fn the_environment_does_not_show_its_values() {
    assert_eq!(format!("{:?}", environment()), "Environment(3 variables)");
}

fn yamlish() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("profile: p\n".to_owned()),
        Just("server:\n".to_owned()),
        Just("governance:\n".to_owned()),
        Just("  rules:\n".to_owned()),
        Just("    - ".to_owned()),
        Just("- ? : ".to_owned()),
        Just("${".to_owned()),
        Just("}".to_owned()),
        Just("!!a &b *c ".to_owned()),
        Just("|2-\n".to_owned()),
        Just("%YAML 1.2\n---\n".to_owned()),
        Just("\"\\x".to_owned()),
        "[-:{}\\[\\], \n\t'\"#&*!|>%@`a-c0-9~<=?$.\\\\\u{85}\u{feff}é]{0,8}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_it_panic(text in yamlish()) {
        let _ = parsed(&text);
        let _ = parsed(&format!("profile: p\nextensions: {{config: {{e: {text}}}}}"));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parsed(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn every_error_has_a_place(text in yamlish()) {
        if let Err(error) = parsed(&text) {
            prop_assert!(!error.diagnostics().is_empty());
            for diagnostic in error.diagnostics() {
                prop_assert!(diagnostic.position.is_some_and(|at| at.line >= 1 && at.column >= 1));
                prop_assert!(!diagnostic.message.is_empty());
            }
        }
    }

    #[test]
    fn texts_survive_being_shown(value in any::<String>()) {
        let mut profile = Profile::new("p".parse().unwrap());
        profile.extensions.config.insert("e".into(), value.clone().into());
        let yaml = LoadedProfile::in_memory(profile.clone()).to_yaml().unwrap();
        let again = parsed(&yaml).map_err(|e| TestCaseError::fail(format!("{e}\n{yaml}")))?;
        prop_assert_eq!(again.profile, profile);
    }
}
