use std::collections::HashMap;

use systemprompt_core::policy::{Effect, ScopeRule};

use super::super::fault::Faults;
use super::super::glob::Glob;
use super::folded;
use super::rule::Rule;
use super::set::RuleSet;

/// Notes rules that can never have an effect.
pub(crate) fn check(written: &[ScopeRule], rules: &[Rule], deny: &RuleSet, faults: &mut Faults) {
    check_duplicates(written, faults);
    for (at, rule) in rules.iter().enumerate() {
        if rule.tools.is_empty() {
            continue;
        }
        let excepted = |tool: &Glob| {
            let tool = if rule.effect == Effect::Allow {
                folded(tool.as_str())
            } else {
                tool.as_str().into()
            };
            rule.except.iter().any(|except| except.covers(&tool))
        };
        if rule.tools.iter().all(|tool| names_another_server(tool, &rule.servers)) {
            faults.add(
                format!("rules[{at}]"),
                "the rule can never apply: its `tools` name other servers than its `servers`",
            );
        } else if rule.tools.iter().all(excepted) {
            faults.add(
                format!("rules[{at}]"),
                "the rule can never apply: `except` leaves nothing of `tools`",
            );
        } else if rule.effect == Effect::Allow
            && let Some(by) = denied_by(rule, rules, deny)
        {
            faults.add(
                format!("rules[{at}]"),
                format!("the rule can never apply: the rule `{by}` denies everything it allows"),
            );
        }
    }
}

/// Whether a tool pattern is qualified with a server that is none of `servers`.
fn names_another_server(tool: &Glob, servers: &[Glob]) -> bool {
    let qualified = tool.as_str().strip_prefix("mcp__").and_then(|rest| rest.split_once("__"));
    let spelled_out = qualified.map(|(server, _)| server).filter(|s| !s.contains(['*', '?']));
    spelled_out.is_some_and(|server| {
        !servers.is_empty() && !servers.iter().any(|pattern| pattern.matches(server))
    })
}

/// The unconditional deny rule that covers the last of the rule's patterns, if each is covered by one.
fn denied_by<'r>(rule: &Rule, rules: &'r [Rule], deny: &RuleSet) -> Option<&'r str> {
    let mut by = None;
    for tool in &rule.tools {
        let tool = folded(tool.as_str()).into_owned();
        let mut visit = |number: u32| {
            let Some(deny) = rules.get(number as usize).filter(|deny| deny.is_unconditional())
            else {
                return false;
            };
            let servers_covered = deny.servers.is_empty()
                || (!rule.servers.is_empty()
                    && rule.servers.iter().all(|server| {
                        deny.servers.iter().any(|wide| wide.covers(&folded(server.as_str())))
                    }));
            if servers_covered {
                by = Some(&*deny.id);
            }
            servers_covered
        };
        let covered = deny.find_free_covering(&tool, &mut visit)
            || rule.servers.first().is_some_and(|server| {
                deny.find_served_covering(&folded(server.as_str()), &tool, &mut visit)
            });
        if !covered {
            return None;
        }
    }
    by
}

/// Notes rules that say the same as an earlier one.
fn check_duplicates(written: &[ScopeRule], faults: &mut Faults) {
    let mut seen = HashMap::new();
    for (at, rule) in written.iter().enumerate() {
        let sorted = |texts: &[String]| {
            let mut texts = texts.to_vec();
            texts.sort_unstable();
            texts.dedup();
            texts
        };
        let content = (
            rule.effect == Effect::Deny,
            [&rule.tools, &rule.except, &rule.servers, &rule.agents, &rule.scopes, &rule.roles]
                .map(|texts| sorted(texts)),
        );
        if let Some(first) = seen.get(&content) {
            faults.add(
                format!("rules[{at}]"),
                format!("the rule can never apply: it says the same as rules[{first}]"),
            );
        } else {
            seen.insert(content, at);
        }
    }
}
