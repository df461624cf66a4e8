use std::sync::Arc;

use systemprompt_core::policy::{Effect, ScopeRule};
use systemprompt_core::principal::Principal;

use super::super::fault::Faults;
use super::super::glob::Glob;
use super::super::vocabulary::Vocabulary;

/// Most alternatives a refusal lists for one rule.
const MAX_NEEDS: usize = 16;

/// A compiled rule. The patterns of a deny rule are case-folded, and so must be what they are compared
/// with; those of an allow rule compare exactly. Its `except` is the other way round.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: Arc<str>,
    pub(crate) effect: Effect,
    pub(crate) tools: Vec<Glob>,
    pub(crate) except: Vec<Glob>,
    pub(crate) servers: Vec<Glob>,
    agents: Vec<Box<str>>,
    scopes: Vec<Box<str>>,
    roles: Vec<Box<str>>,
    /// What would satisfy the rule, one text per alternative.
    pub(crate) needs: Vec<Arc<str>>,
}

impl Rule {
    pub(crate) fn compile(
        rule: &ScopeRule,
        path: &str,
        words: &Vocabulary<'_>,
        faults: &mut Faults,
    ) -> Self {
        words.check_agents(&format!("{path}.agents"), &rule.agents, faults);
        words.check_scopes(&format!("{path}.scopes"), &rule.scopes, faults);
        words.check_roles(&format!("{path}.roles"), &rule.roles, faults);
        if rule.tools.is_empty() {
            faults.add(format!("{path}.tools"), "a rule needs at least one tool pattern");
        }
        let deny = rule.effect == Effect::Deny;
        let servers = globs(&format!("{path}.servers"), &rule.servers, deny, faults);
        for (at, server) in rule.servers.iter().enumerate() {
            if server.contains("__") || server.contains(['/', ':']) {
                faults.add(
                    format!("{path}.servers[{at}]"),
                    format!(
                        "`{}` matches no server: names have no `__`, `/` or `:`",
                        server.escape_debug()
                    ),
                );
            }
        }
        let boxed = |texts: &[String]| texts.iter().map(|text| text.as_str().into()).collect();
        Self {
            id: rule.id.as_str().into(),
            effect: rule.effect,
            tools: globs(&format!("{path}.tools"), &rule.tools, deny, faults),
            except: globs(&format!("{path}.except"), &rule.except, !deny, faults),
            servers,
            agents: if deny {
                rule.agents.iter().map(|agent| agent.to_ascii_lowercase().into()).collect()
            } else {
                boxed(&rule.agents)
            },
            scopes: boxed(&rule.scopes),
            roles: boxed(&rule.roles),
            needs: needs(rule),
        }
    }

    /// Whether the rule applies to every principal, agent and tool that its patterns match.
    pub(crate) fn is_unconditional(&self) -> bool {
        self.scopes.is_empty()
            && self.roles.is_empty()
            && self.agents.is_empty()
            && self.except.is_empty()
    }

    /// Whether the principal holds every scope and, if roles are listed, one of them.
    pub(crate) fn holds_for(&self, principal: &Principal) -> bool {
        self.scopes.iter().all(|scope| principal.has_scope(scope))
            && (self.roles.is_empty() || self.roles.iter().any(|role| principal.has_role(role)))
    }

    /// Whether an allow rule covers the agent: one it lists, exactly, or any when it lists none.
    pub(crate) fn grants_to(&self, agent: Option<&str>) -> bool {
        self.agents.is_empty()
            || agent.is_some_and(|agent| self.agents.iter().any(|listed| **listed == *agent))
    }

    /// Whether a deny rule hits the agent: one it lists in any case, or a call that names none and so
    /// could be anyone's.
    pub(crate) fn hits(&self, agent: Option<&str>) -> bool {
        self.agents.is_empty()
            || agent.is_none_or(|agent| {
                self.agents.iter().any(|listed| listed.eq_ignore_ascii_case(agent))
            })
    }
}

/// Parses patterns, noting those that do not parse.
pub(crate) fn globs(path: &str, texts: &[String], fold: bool, faults: &mut Faults) -> Vec<Glob> {
    let mut globs = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        match Glob::parse(text) {
            Ok(glob) => globs.push(if fold { glob.folded() } else { glob }),
            Err(fault) => faults.add(format!("{path}[{at}]"), fault.to_string()),
        }
    }
    globs
}

/// `admin`, `tools:use+reports:read`, `role:ops`, `tools:use+role:ops+agent:builder`.
fn needs(rule: &ScopeRule) -> Vec<Arc<str>> {
    let scopes = rule.scopes.join("+");
    let roles = labelled("role", &rule.roles);
    let agents = labelled("agent", &rule.agents);
    let mut needs = Vec::new();
    for role in &roles {
        for agent in &agents {
            let parts = [scopes.as_str(), role, agent];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            if !parts.is_empty() && needs.len() < MAX_NEEDS {
                needs.push(parts.join("+").into());
            }
        }
    }
    needs
}

fn labelled(label: &str, texts: &[String]) -> Vec<String> {
    if texts.is_empty() {
        return vec![String::new()];
    }
    texts.iter().map(|text| format!("{label}:{text}")).collect()
}
