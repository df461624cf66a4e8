use systemprompt_core::policy::{Effect, PolicyDocument, PolicyFault, ScopeRule};

use crate::policy::{KnownIds, Policy};

fn rule(id: &str, effect: Effect, tools: &[&str]) -> ScopeRule {
    ScopeRule {
        id: id.into(),
        effect,
        tools: tools.iter().map(|tool| (*tool).to_owned()).collect(),
        except: Vec::new(),
        servers: Vec::new(),
        agents: Vec::new(),
        scopes: Vec::new(),
        roles: Vec::new(),
    }
}

fn faults(rules: Vec<ScopeRule>) -> Vec<PolicyFault> {
    let document = PolicyDocument { rules, ..PolicyDocument::default() };
    Policy::compile(&document, &KnownIds::default()).err().unwrap_or_default()
}

fn paths(rules: Vec<ScopeRule>) -> Vec<String> {
    faults(rules).into_iter().map(|fault| fault.path).collect()
}

#[test]
fn every_fault_is_named_by_its_path() {
    let mut wrong = rule("a b", Effect::Allow, &["", "x y"]);
    wrong.agents = vec!["nobody".into()];
    wrong.scopes = vec!["tols:use".into()];
    wrong.roles = vec!["usr".into()];
    wrong.servers = vec!["a__b".into()];
    let found =
        faults(vec![wrong, rule("ok", Effect::Allow, &["x"]), rule("ok", Effect::Allow, &[])]);
    let paths: Vec<&str> = found.iter().map(|fault| fault.path.as_str()).collect();
    for path in [
        "rules[0].id",
        "rules[0].agents[0]",
        "rules[0].scopes[0]",
        "rules[0].roles[0]",
        "rules[0].servers[0]",
        "rules[0].tools[0]",
        "rules[0].tools[1]",
        "rules[2].id",
        "rules[2].tools",
    ] {
        assert!(paths.contains(&path), "{path} is missing in {paths:?}");
    }
    let scope = found.iter().find(|fault| fault.path == "rules[0].scopes[0]").unwrap();
    assert!(scope.problem.contains("did you mean `tools:use`?"), "{}", scope.problem);
}

#[test]
fn rules_that_can_never_apply_are_faults() {
    let deny = |tools: &[&str]| rule("deny", Effect::Deny, tools);
    let allow = |tools: &[&str]| rule("allow", Effect::Allow, tools);
    assert_eq!(paths(vec![deny(&["db_*"]), allow(&["db_read", "DB_write"])]), ["rules[1]"]);
    assert_eq!(paths(vec![allow(&["x"]), deny(&["*"])]), ["rules[0]"]);
    assert_eq!(paths(vec![deny(&["db_*"]), allow(&["db_read", "web_read"])]), [""; 0]);
    let conditional = ScopeRule { roles: vec!["user".into()], ..deny(&["db_*"]) };
    assert_eq!(paths(vec![conditional, allow(&["db_read"])]), [""; 0]);
    let excepting = ScopeRule { except: vec!["db_read".into()], ..deny(&["db_*"]) };
    assert_eq!(paths(vec![excepting, allow(&["db_read"])]), [""; 0]);
    let served = |rule: ScopeRule, server: &str| ScopeRule { servers: vec![server.into()], ..rule };
    let denied = vec![served(deny(&["*"]), "db*"), served(allow(&["read"]), "db1")];
    assert_eq!(paths(denied), ["rules[1]"]);
    let other = vec![served(deny(&["*"]), "db1"), served(allow(&["read"]), "db*")];
    assert_eq!(paths(other), [""; 0]);
    let nothing = ScopeRule { except: vec!["read_*".into()], ..allow(&["Read_it"]) };
    assert_eq!(paths(vec![nothing]), ["rules[0]"]);
    for (tools, reachable) in [
        (vec!["mcp__db__read"], false),
        (vec!["mcp__db__*", "mcp__web__read"], true),
        (vec!["mcp__*__read"], true),
        (vec!["mcp__db__read", "read"], true),
    ] {
        let rule = served(allow(&tools), "web");
        assert_eq!(paths(vec![rule]).is_empty(), reachable, "{tools:?}");
    }
}

#[test]
fn a_rule_that_says_the_same_as_another_is_a_fault() {
    let one = rule("one", Effect::Allow, &["a", "b"]);
    let two = rule("two", Effect::Allow, &["b", "a", "a"]);
    assert_eq!(paths(vec![one.clone(), two.clone()]), ["rules[1]"]);
    let scoped = ScopeRule { scopes: vec!["admin".into()], ..two };
    assert_eq!(paths(vec![one, scoped]), [""; 0]);
}
