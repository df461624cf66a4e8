//! What can be declared, and what cannot.

use serde_json::{Value, json};
use systemprompt_custody::inject::{Bindings, InjectionSettings};

use crate::house::settings;

fn binding(sink: Value) -> Value {
    json!({ "server": "github", "secret": "key", "sink": sink })
}

fn faults(json: Value) -> Vec<String> {
    match Bindings::compile(&settings(json)) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn settings_are_read_and_written() {
    let json = json!({
        "bindings": [
            binding(json!({ "header": { "host": "api.github.com", "name": "Authorization", "template": "Bearer {}" } })),
            { "server": "tickets", "secret": "key@3", "sink": { "env": { "variable": "TICKETS_TOKEN" } } },
            { "server": "mail", "secret": "key", "sink": { "argument": { "tool": "send", "argument": "password" } } },
        ],
        "servers": [{
            "server": "tickets",
            "headers": [{ "host": "t.example.com:8443", "name": "x-key", "value": "k=secret://key" }],
            "variables": { "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "URL": "https://x:secret://key@1/" },
        }],
    });
    // `@1/` is no version followed by an end, and is refused below; here the form is what matters.
    let read = settings(json.clone());
    let written = serde_json::to_value(&read).unwrap();
    assert_eq!(settings(written), read);
    assert_eq!(faults(json).len(), 1);
}

#[test]
fn unknown_keys_and_forms_are_refused() {
    for json in [
        json!({ "binding": [] }),
        json!({ "bindings": [{ "server": "a", "secret": "b", "sink": { "env": { "variable": "X" } }, "x": 1 }] }),
        json!({ "bindings": [binding(json!({ "env": { "variable": "X", "name": "Y" } }))] }),
        json!({ "bindings": [binding(json!({ "query": { "name": "key" } }))] }),
        json!({ "bindings": [binding(json!({ "header": { "host": "https://a.com", "name": "x" } }))] }),
        json!({ "bindings": [binding(json!({ "header": { "host": "*.a.com", "name": "x" } }))] }),
        json!({ "bindings": [{ "server": "a__b", "secret": "b", "sink": { "env": { "variable": "X" } } }] }),
        json!({ "bindings": [{ "server": "a", "secret": "b@0", "sink": { "env": { "variable": "X" } } }] }),
        json!({ "bindings": [{ "server": "a", "secret": "b/c", "sink": { "env": { "variable": "X" } } }] }),
        json!({ "servers": [{ "server": "a", "env": {} }] }),
    ] {
        assert!(serde_json::from_value::<InjectionSettings>(json.clone()).is_err(), "{json}");
    }
}

#[test]
fn every_fault_names_its_place() {
    let header = |name: &str, template: &str| {
        binding(json!({ "header": { "host": "a.com", "name": name, "template": template } }))
    };
    let env = |name: &str| binding(json!({ "env": { "variable": name } }));
    let argument = |name: &str| binding(json!({ "argument": { "tool": "t", "argument": name } }));
    for (entry, path) in [
        (header("host", "{}"), "bindings[0].sink.header.name: "),
        (header("transfer-encoding", "{}"), "bindings[0].sink.header.name: "),
        (header("Connection", "{}"), "bindings[0].sink.header.name: "),
        (header("a b", "{}"), "bindings[0].sink.header.name: "),
        (header("x-key", "Bearer"), "bindings[0].sink.header.template: "),
        (header("x-key", "{}{}"), "bindings[0].sink.header.template: "),
        (header("x-key", "{token}"), "bindings[0].sink.header.template: "),
        (header("x-key", "a\r\nb: {}"), "bindings[0].sink.header: "),
        (env("LD_PRELOAD"), "bindings[0].sink.env: "),
        (env("PATH"), "bindings[0].sink.env: "),
        (env("NODE_OPTIONS"), "bindings[0].sink.env: "),
        (env("A=B"), "bindings[0].sink.env: "),
        (argument(""), "bindings[0].sink.argument.argument: "),
        (argument("/a~"), "bindings[0].sink.argument.argument: "),
    ] {
        let found = faults(json!({ "bindings": [entry] }));
        assert_eq!(found.len(), 1, "{path} {found:?}");
        assert!(found[0].starts_with(path), "{}", found[0]);
    }
    let found = faults(json!({ "servers": [{
        "server": "a",
        "headers": [{ "host": "a.com", "name": "x", "value": "secret://" }],
        "variables": { "LD_PRELOAD": "x", "PATH": "bin", "X": "secret://a/b", "Y": "Secret://a" },
    }] }));
    assert_eq!(
        found,
        [
            "servers[0].headers[0].value: placeholder `secret://` has no name",
            "servers[0].variables.LD_PRELOAD: `LD_PRELOAD` changes what code programs run and is not for declarations",
            "servers[0].variables.PATH: `PATH` is a list of folders that begin with `/`, without secrets",
            "servers[0].variables.X: placeholder `secret://a/b` has a `/` after the name",
            "servers[0].variables.Y: placeholder `Secret://a` is not written in lower case",
        ]
    );
}

#[test]
fn a_place_is_filled_once() {
    let header =
        |host: &str, name: &str| binding(json!({ "header": { "host": host, "name": name } }));
    assert!(faults(json!({ "bindings": [header("a.com", "x"), header("b.com", "x"), header("a.com:1", "x")] })).is_empty());
    let found =
        faults(json!({ "bindings": [header("a.com", "X-Key"), header("A.com:443", "x-key")] }));
    assert_eq!(
        found,
        [
            "bindings[1].sink.header: header `x-key` of host `a.com` of server `github` is declared twice, first at `bindings[0].sink.header`"
        ]
    );
    let found = faults(json!({
        "bindings": [binding(json!({ "env": { "variable": "TOKEN" } }))],
        "servers": [{ "server": "github", "variables": { "Token": "x" } }],
    }));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("servers[0].variables.Token: "), "{}", found[0]);
}
