use serde_json::json;

use crate::profile::Profile;

const MODELS: &str = "\
models:
  providers:
    claude: {kind: anthropic, key: {env: CLAUDE_KEY}}
    openai: {kind: openai, key: {env: OPENAI_KEY}}
  aliases:
    best: claude-opus-4-8
  routes:
    - match: {pattern: \"claude-*\", when: {tools: true, role: operator, min_tokens: 1000}}
      provider: openai
      model: gpt-5.5
    - match: \"gpt-*\"
      provider: openai
    - match: \"claude-opus-*\"
      provider: claude
      fallback: [{provider: openai, model: gpt-5.5}]
    - match: \"claude-*\"
      provider: claude
";

#[test]
fn the_taken_route_is_marked_and_each_other_says_why_not() {
    let it = Profile::new(MODELS);
    let (code, text, _) = it.run(&["routes", "explain", "best", "--tools"], &[]);
    assert_eq!(code, 0);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "`best` stands for `claude-opus-4-8`");
    assert_eq!(lines[1], "   0: `claude-*`  it is for at least 1000 tokens, role `operator`");
    assert_eq!(lines[2], "   1: `gpt-*`  the pattern does not fit");
    assert_eq!(lines[3], "-> 2: `claude-opus-*`  takes it");
    assert!(lines[4].trim_start().starts_with("claude/claude-opus-4-8 ($"), "{text}");
    assert!(lines[5].trim_start().starts_with("then openai/gpt-5.5 ($"), "{text}");
    assert_eq!(lines[6], "   3: `claude-*`  route 2 takes the request before");
}

#[test]
fn conditions_are_met_by_what_is_said_of_the_request() {
    let it = Profile::new(MODELS);
    let met = ["--tools", "--role", "operator", "--tokens", "1000"];
    let taken = it.json(&[&["routes", "explain", "claude-opus-4-8"], &met[..]].concat());
    assert_eq!((&taken["route"], &taken["routes"][0]["taken"]), (&json!(0), &json!(true)));
    assert_eq!(taken["routes"][0]["why_not"], json!(null));
    assert_eq!(taken["routes"][2]["why_not"], "route 0 takes the request before");
    let missed = it.json(&["routes", "explain", "claude-opus-4-8"]);
    assert_eq!(missed["route"], 2);
    let why = "it is for tools, at least 1000 tokens, role `operator`";
    assert_eq!(
        missed["routes"][0]["why_not"].as_str().unwrap().replace(", ", ","),
        why.replace(", ", ",")
    );
}

#[test]
fn a_model_that_nothing_takes_is_not_found() {
    let it = Profile::new(MODELS);
    let (code, text, stderr) = it.run(&["routes", "explain", "gemini-3-pro"], &[]);
    assert_eq!(code, 5);
    assert_eq!(text.matches("the pattern does not fit").count(), 4, "{text}");
    assert!(stderr.contains("there is no model `gemini-3-pro`"), "{stderr}");
    let (code, text, stderr) = it.run(&["routes", "explain", "claude-of-tomorrow"], &[]);
    assert_eq!(code, 5, "{stderr}");
    assert!(text.contains("has no price, and it does not allow that"), "{text}");
}
