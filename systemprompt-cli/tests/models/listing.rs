use serde_json::json;

use crate::profile::Profile;

const MODELS: &str = "\
models:
  providers:
    claude:
      kind: anthropic
      key: {env: CLAUDE_KEY}
    kimi:
      kind: moonshot
      key: secret://kimi-key
    echo:
      kind: echo
  routes:
    - match: \"claude-*\"
      provider: claude
    - match: \"kimi-*\"
      provider: kimi
    - match: echo
      provider: echo
";

#[test]
fn providers_are_listed_without_their_keys_being_there() {
    let it = Profile::new(MODELS);
    let listed = it.json(&["providers", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
    let claude = &listed[0];
    assert_eq!(claude["name"], "claude");
    assert_eq!(claude["kind"], "anthropic");
    assert_eq!(claude["key"], "env CLAUDE_KEY");
    assert_eq!(claude["wires"], json!(["anthropic"]));
    assert_eq!(claude["base_url"], "https://api.anthropic.com");
    assert!(claude["priced_models"].as_u64().unwrap() > 10, "{claude}");
    assert_eq!(listed[1]["key"], "none");
    assert_eq!(listed[2]["key"], "secret://kimi-key");
    assert_eq!(listed[2]["wires"], json!(["anthropic", "chat", "responses"]));
    let (code, table, _) = it.run(&["providers", "list"], &[]);
    assert_eq!(code, 0);
    assert!(table.trim_start().starts_with("NAME") && table.contains("PRICED MODELS"), "{table}");
}

#[test]
fn prices_are_in_dollars_with_a_line_for_each_tier_and_the_version_below() {
    let it = Profile::new(MODELS);
    let (code, table, _) = it.run(&["providers", "prices", "--model", "claude-sonnet-4-5"], &[]);
    assert_eq!(code, 0);
    let lines: Vec<Vec<&str>> =
        table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1][..4], ["anthropic", "claude-sonnet-4-5", "3.00", "15.00"], "{table}");
    let version = it.json(&["providers", "prices"])["version"].as_str().unwrap().to_owned();
    assert!(table.contains(&format!("dollars per million tokens; prices {version}")), "{table}");
    let of = |args: &[&str]| {
        let prices = it.json(&[&["providers", "prices"], args].concat());
        let models = prices["models"].as_array().unwrap().clone();
        models.iter().map(|each| each["provider"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(of(&[]).iter().any(|provider| provider == "openai"));
    let own = of(&["--provider", "claude", "--model", "claude-opus-*"]);
    assert!(!own.is_empty() && own.iter().all(|provider| provider == "anthropic"));
    assert!(of(&["--provider", "gemini"]).iter().all(|provider| provider == "gemini"));
    let (code, _, stderr) = it.run(&["providers", "prices", "--provider", "gemeni"], &[]);
    assert_eq!(code, 5);
    assert!(stderr.contains("did you mean `gemini`?"), "{stderr}");
    assert_eq!(it.run(&["providers", "prices", "--model", "ü"], &[]).0, 2);
}

#[test]
fn a_wrong_route_is_named_with_its_place() {
    let wrong = MODELS.replace("provider: kimi", "provider: kimmi");
    let it = Profile::new(&wrong);
    let line = wrong.lines().position(|line| line.contains("kimmi")).unwrap() + 2;
    for args in [&["config", "check"][..], &["providers", "list"], &["routes", "explain", "echo"]] {
        let (code, stdout, stderr) = it.run(args, &[("CLAUDE_KEY", "k")]);
        assert_eq!((code, stdout.as_str()), (3, ""), "{stderr}");
        assert!(stderr.contains(&format!("profile.yaml:{line}:17: ")), "{args:?}: {stderr}");
        assert!(stderr.contains("did you mean `kimi`?"), "{stderr}");
    }
}
