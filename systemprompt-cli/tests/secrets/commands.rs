//! What the commands do, say and answer.

use serde_json::json;

use crate::installation::Installation;

#[test]
fn a_secret_is_kept_listed_rotated_granted_and_revoked() {
    let it = Installation::new();
    let said = it.run(&["secrets", "set", "github-token", "--description", "CI"], "one\n").ok();
    assert_eq!(said.stdout, "version 1 of `github-token` is in custody; nothing is granted yet\n");
    let said = it.run(&["secrets", "rotate", "github-token"], "two").ok();
    assert_eq!(said.stdout, "`github-token` has version 2 from here on\n");
    let header = ["--server", "github", "--host", "API.github.com", "--header", "Authorization"];
    let variable = ["--server", "github", "--env", "GITHUB_TOKEN"];
    let grant = ["secrets", "grant", "github-token"];
    let said = it.run(&[&grant[..], &header].concat(), "").ok();
    assert_eq!(
        said.stdout,
        "granted `github-token` to `github`: header `authorization` of host `api.github.com`\n"
    );
    it.run(&[&grant[..], &variable].concat(), "").ok();
    let again = it.run(&[&grant[..], &variable].concat(), "").failed(1);
    assert!(again.contains("granted there already"), "{again}");
    it.run(&["secrets", "retire", "github-token", "1"], "").ok();

    let table = it.run(&["secrets", "list"], "").ok().stdout;
    let columns = "TENANT  NAME  VERSIONS  GRANTS  CREATED  LAST  USED  REVOKED  DESCRIPTION";
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>().join("  "), columns, "{table}");
    assert!(lines[1].contains("(1),2"), "{table}");
    assert!(
        lines[1].contains("github:authorization@api.github.com github:GITHUB_TOKEN"),
        "{table}"
    );
    let listed = it.json(&["secrets", "list"], "");
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let secret = &listed[0];
    assert_eq!((&secret["tenant"], &secret["name"]), (&json!("default"), &json!("github-token")));
    assert_eq!(
        (&secret["description"], &secret["created_by"]),
        (&json!("CI"), &json!("command line"))
    );
    assert_eq!(secret["versions"][1]["version"], 2);
    assert!(secret["versions"][0]["retired_at"].is_string());
    let expected = json!({ "host": "api.github.com", "header": "authorization" });
    assert_eq!(secret["grants"][0]["sink"], expected);

    let revoke = ["secrets", "revoke", "github-token"];
    let said = it.run(&[&revoke[..], &variable].concat(), "").ok();
    assert_eq!(said.stdout, "revoked `github-token` from `github`: variable `GITHUB_TOKEN`\n");
    let said = it.run(&[&revoke[..], &["--yes", "--by", "ops"]].concat(), "").ok();
    assert_eq!(
        said.stdout,
        "revoked `github-token`: 1 versions are deleted, 1 grants have ended\n"
    );
    assert!(it.json(&["secrets", "list"], "")[0]["revoked_at"].is_string());
    it.run(&["secrets", "set", "github-token"], "three").ok();
    assert_eq!(it.json(&["secrets", "list"], "")[0]["versions"][2]["version"], 3);

    let kinds: Vec<_> = it.json(&["audit", "events"], "")["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["kind"].as_str().unwrap().to_owned())
        .filter(|kind| kind.starts_with("secret_"))
        .collect();
    let expected = [
        "secret_created",
        "secret_revoked",
        "secret_revoked",
        "secret_rotated",
        "secret_granted",
        "secret_granted",
        "secret_rotated",
        "secret_created",
    ];
    assert_eq!(kinds, expected, "newest first");
    let events = it.run(&["audit", "events"], "").ok().stdout;
    for words in [
        "secret_created    github-token@1",
        "secret_rotated    github-token  version 1 retired",
        "secret_granted    github-token  github  authorization@api.github.com",
        "secret_revoked    github-token  github  GITHUB_TOKEN  the grant",
        "secret_revoked    github-token  the secret",
    ] {
        assert!(events.contains(words), "{words}: {events}");
    }
}

#[test]
fn answers_for_programs_are_json() {
    let it = Installation::new();
    let set = it.json(&["secrets", "set", "token"], "one");
    assert_eq!(set, json!({ "tenant": "default", "name": "token", "version": 1 }));
    let rotated = it.json(&["secrets", "rotate", "token"], "two");
    assert_eq!(rotated["version"], 2);
    let retired = it.json(&["secrets", "retire", "token", "1"], "");
    assert_eq!(retired["retired"], 1);
    let place = ["--server", "s", "--env", "T"];
    let granted = it.json(&[&["secrets", "grant", "token"][..], &place].concat(), "");
    assert_eq!(
        (&granted["granted"], &granted["sink"]),
        (&json!(true), &json!({ "variable": "T" }))
    );
    let revoked = it.json(&[&["secrets", "revoke", "token"][..], &place].concat(), "");
    assert_eq!(revoked["revoked"], true);
    let revoked = it.json(&["secrets", "revoke", "token", "--yes"], "");
    assert_eq!((&revoked["versions"], &revoked["grants"]), (&json!(1), &json!(0)));
    let rewrapped = it.json(&["secrets", "rewrap"], "");
    assert_eq!(rewrapped, json!({ "keys": 0, "current": 0, "left": 0 }));
    let failed = it.run(&["--json", "secrets", "rotate", "nope"], "x").failed(5);
    let failed: serde_json::Value = serde_json::from_str(&failed).unwrap();
    assert!(failed["error"].as_str().unwrap().contains("no secret `nope`"), "{failed}");
}

#[test]
fn exit_codes_say_what_is_wrong() {
    let it = Installation::new();
    it.run(&["secrets", "set", "token"], "one").ok();
    let fails = |args: &[&str], input: &str, code: i32, why: &str| {
        let said = it.run(&[&["secrets"], args].concat(), input).failed(code);
        assert!(said.contains(why), "{args:?}: {said}");
    };
    fails(&["set", "token"], "two", 1, "already");
    fails(&["set", "new", "--tenant", "acme"], "x", 5, "no tenant `acme`");
    fails(&["set", "a/b"], "x", 2, "secret name holds a character");
    fails(&["set", "new"], "", 2, "the value is empty");
    fails(&["set", "new"], "\n", 2, "the value is empty");
    fails(&["set", "new"], "a\0b", 2, "NUL");
    fails(&["set", "new"], &"x".repeat(65_537), 2, "longer than 65536 bytes");
    fails(&["set", "new"], &"x".repeat(1_000_000), 2, "longer than 65536 bytes");
    fails(&["rotate", "nope"], "x", 5, "no secret `nope`");
    fails(&["retire", "token", "1"], "", 1, "the last one");
    fails(&["retire", "token", "9"], "", 5, "no version 9");
    let ways = "give `--host` and `--header`, `--env`, or `--tool` and `--argument`";
    fails(&["grant", "token", "--server", "s"], "", 2, ways);
    let place = ["--host", "a", "--header", "Host"];
    fails(
        &[&["grant", "token", "--server", "s"][..], &place].concat(),
        "",
        2,
        "header `host` says",
    );
    let place = ["--env", "LD_PRELOAD"];
    let why = "variable `LD_PRELOAD` changes what code";
    fails(&[&["grant", "token", "--server", "s"][..], &place].concat(), "", 2, why);
    fails(&["list", "--tenant", "nope"], "", 5, "no tenant `nope`");
    fails(&["list", "nope"], "", 5, "no secret `nope`");
    fails(&["list", "nope", "--tenant", "default"], "", 5, "no secret `nope`");
    assert_eq!(it.json(&["secrets", "list", "token"], "")[0]["name"], "token");
    fails(&["grant", "token", "--server", "s", "--host", "a"], "", 2, "--header");
    fails(&["grant", "token", "--server", "s", "--env", "1X"], "", 2, "name of a variable");
    fails(
        &["grant", "token", "--server", "s", "--host", "https://a", "--header", "x"],
        "",
        2,
        "is not a host",
    );
    fails(&["grant", "nope", "--server", "s", "--env", "X"], "", 5, "no secret `nope`");
    fails(&["revoke", "token"], "", 2, "--yes");
    fails(&["revoke", "nope", "--yes"], "", 5, "no secret `nope`");
    fails(&["revoke", "token", "--server", "s", "--env", "X"], "", 5, "not granted there");
    fails(&["revoke", "token", "--server", "s"], "", 2, "required");
    fails(&["revoke", "token", "--env", "X"], "", 2, "--server");
    fails(&["revoke", "token", "--server", "s", "--env", "X", "--yes"], "", 2, "--yes");
    let refused = it.run(&["secrets", "set", "new"], b"\xff\xfe".as_slice()).failed(2);
    assert!(refused.contains("not UTF-8"), "{refused}");
    // The key is another one.
    std::fs::write(it.path("custody.key"), "ab".repeat(32)).unwrap();
    let refused = it.run(&["secrets", "rewrap"], "").failed(3);
    assert!(refused.contains("custody.key"), "{refused}");
    let header = ["--server", "s", "--host", "a", "--header", "x"];
    it.run(&[&["secrets", "grant", "token"][..], &header].concat(), "").failed(3);
}

#[test]
fn a_new_key_takes_over() {
    let it = Installation::new();
    it.run(&["secrets", "set", "token"], "one").ok();
    let key = std::fs::read_to_string(it.path("custody.key")).unwrap();
    std::fs::write(it.path("custody.key"), format!("{}\n{key}", "ab".repeat(32))).unwrap();
    let said = it.run(&["secrets", "rewrap"], "").ok().stdout;
    assert_eq!(said, "1 data keys were encrypted anew, 0 were current\n");
    std::fs::write(it.path("custody.key"), "ab".repeat(32)).unwrap();
    // A grant as a header looks at the value.
    let header = ["--server", "s", "--host", "a", "--header", "x"];
    it.run(&[&["secrets", "grant", "token"][..], &header].concat(), "").ok();
}

fn golden(name: &str) -> String {
    let folder = "../systemprompt-custody/tests/it/sops/golden";
    format!("{}/{folder}/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_file_of_sops_is_taken_over() {
    let it = Installation::new();
    let (file, identity) = (golden("all.yaml"), golden("identity.txt"));
    let import = ["secrets", "import", "--sops", &file, "--identity", &identity];
    let planned = it.json(&[&import[..], &["--dry-run"]].concat(), "");
    assert_eq!(planned["secrets"][0], json!({ "name": "api_token", "done": "created" }));
    assert_eq!(it.json(&["secrets", "list"], "").as_array().unwrap().len(), 0);

    it.run(&["secrets", "set", "database.port"], "mine").ok();
    let table = it.run(&import, "").ok().stdout;
    let words: Vec<_> = table.split_whitespace().collect();
    let expected = [
        "NAME",
        "DONE",
        "api_token",
        "created",
        "database.password",
        "created",
        "database.port",
        "kept",
        "database.ratio",
        "created",
        "database.debug",
        "created",
        "keys.0",
        "created",
        "keys.1",
        "created",
        "keys.2.name",
        "created",
        "keys.2.value",
        "created",
        "pem",
        "created",
    ];
    assert_eq!(words, expected, "{table}");
    let again = it.json(&import, "");
    let done: Vec<_> = again["secrets"].as_array().unwrap().iter().map(|it| &it["done"]).collect();
    assert!(done.iter().all(|done| *done == "kept"), "{again}");
    let rotated = it.json(&[&import[..], &["--rotate"]].concat(), "");
    assert_eq!(rotated["secrets"][2], json!({ "name": "database.port", "done": "rotated" }));
    for value in ["token-for-golden-files", "p@ss: word #1", "line two"] {
        assert!(!it.knows(value), "{value}");
    }
}

#[test]
fn a_file_that_is_not_as_sops_made_it_is_not_taken_over() {
    let it = Installation::new();
    let import = |file: &str, identity: &str, code: i32, why: &str| {
        let args = ["secrets", "import", "--sops", file, "--identity", identity];
        let said = it.run(&args, "").failed(code);
        assert!(said.contains(why), "{said}");
        assert_eq!(it.json(&["secrets", "list"], "").as_array().unwrap().len(), 0);
    };
    let (file, identity) = (golden("all.yaml"), golden("identity.txt"));
    import("nowhere.yaml", &identity, 5, "there is no file `nowhere.yaml`");
    import(&file, "nowhere.txt", 5, "there is no file `nowhere.txt`");
    import(&golden("README.md"), &identity, 2, "must end in");
    import(&file, &golden("all.env"), 2, "not an `AGE-SECRET-KEY-1...`");
    let changed = it.path("changed.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let place = changed.to_str().unwrap().to_owned();
    let edited = text.replace("retries_unencrypted: 3", "retries_unencrypted: 4");
    std::fs::write(&changed, edited).unwrap();
    import(&place, &identity, 2, "its MAC is not that of its values");
    std::fs::write(&changed, text.replace("    password:", "    passwort:")).unwrap();
    import(&place, &identity, 2, "`database.passwort` was changed");
}
