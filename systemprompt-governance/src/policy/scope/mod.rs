//! *scope*: who may use which tool, as which agent.

mod reach;
mod rule;
mod set;

use std::borrow::Cow;
use std::sync::Arc;

use systemprompt_core::call::{CallKind, ToolCall};
use systemprompt_core::id::AgentId;
use systemprompt_core::policy::{Effect, PolicyDocument};

use super::agent::{Agents, Standing};
use super::fault::{Faults, check_ids};
use super::vocabulary::Vocabulary;
use rule::Rule;
pub(crate) use rule::globs;
use set::RuleSet;

/// The compiled rules and agents.
#[derive(Debug)]
pub(crate) struct ScopeTable {
    agents: Agents,
    rules: Vec<Rule>,
    deny: RuleSet,
    allow: RuleSet,
}

/// Why *scope* denies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ScopeDenial {
    /// No rule knows the tool.
    UnknownTool,
    /// The policy does not know the agent.
    UnknownAgent,
    /// The principal may not act as the agent.
    NotGranted(AgentId),
    /// This rule denies.
    DeniedBy(Arc<str>),
    /// The rules that know the tool ask for one of these.
    Lacking(Vec<Arc<str>>),
}

impl ScopeTable {
    pub(crate) fn compile(
        document: &PolicyDocument,
        words: &Vocabulary<'_>,
        faults: &mut Faults,
    ) -> Self {
        check_ids(faults, "rules", "rule", document.rules.iter().map(|rule| rule.id.as_str()));
        let rules: Vec<Rule> = document
            .rules
            .iter()
            .enumerate()
            .map(|(at, rule)| Rule::compile(rule, &format!("rules[{at}]"), words, faults))
            .collect();
        let of = |effect| {
            RuleSet::of((0_u32..).zip(&rules).filter(move |(_, rule)| rule.effect == effect))
        };
        let (deny, allow) = (of(Effect::Deny), of(Effect::Allow));
        reach::check(&document.rules, &rules, &deny, faults);
        Self { agents: Agents::compile(&document.agents, words, faults), rules, deny, allow }
    }

    pub(crate) fn knows_agent(&self, agent: &AgentId) -> bool {
        self.agents.knows(agent)
    }

    /// Decides who may. Deny rules override; nothing in the call raises what the principal holds.
    pub(crate) fn check(&self, call: &ToolCall) -> Result<(), ScopeDenial> {
        let agent = self.agent(call)?;
        self.check_denied(call, agent)?;
        match call.kind() {
            CallKind::Tool => self.check_allowed(call, agent),
            CallKind::Prompt => self.check_prompt(call, agent),
        }
    }

    /// The agent the call may act as; a label that the policy does not know names none.
    fn agent<'c>(&self, call: &'c ToolCall) -> Result<Option<&'c str>, ScopeDenial> {
        let Some(agent) = call.agent() else { return Ok(None) };
        match self.agents.standing(agent, call.principal()) {
            Standing::Granted => Ok(Some(agent.as_str())),
            Standing::NotGranted => Err(ScopeDenial::NotGranted(agent.clone())),
            Standing::Unknown if call.context().agent_is_label => Ok(None),
            Standing::Unknown => Err(ScopeDenial::UnknownAgent),
        }
    }

    fn check_denied(&self, call: &ToolCall, agent: Option<&str>) -> Result<(), ScopeDenial> {
        let tool = call.tool();
        let (qualified, name) = (folded(tool.qualified()), folded(tool.name().as_str()));
        let server = tool.server().map(|server| folded(server.as_str()));
        let mut denied_by = None;
        let mut visit = |number: u32| {
            let Some(rule) = self.rules.get(number as usize) else { return false };
            let hit = matches_server(rule, server.as_deref())
                && rule.hits(agent)
                && rule.holds_for(call.principal())
                && !rule.except.iter().any(|glob| {
                    glob.matches(tool.qualified())
                        || (!rule.servers.is_empty() && glob.matches(tool.name().as_str()))
                });
            if hit {
                denied_by = Some(rule.id.clone());
            }
            hit
        };
        let names: &[&str] = if tool.server().is_some() { &[&qualified, &name] } else { &[&name] };
        for name in names {
            let found = self.deny.find_free(name, &mut visit)
                || server.as_ref().is_some_and(|s| self.deny.find_served(s, name, &mut visit));
            if found {
                break;
            }
        }
        denied_by.map_or(Ok(()), |rule| Err(ScopeDenial::DeniedBy(rule)))
    }

    fn check_allowed(&self, call: &ToolCall, agent: Option<&str>) -> Result<(), ScopeDenial> {
        let tool = call.tool();
        let server = tool.server().map(AsRef::<str>::as_ref);
        let mut search = Search { table: self, call, agent, server, lacking: None };
        let allowed = self.allow.find_free(tool.qualified(), |number| search.satisfies(number))
            || server.is_some_and(|server| {
                [tool.name().as_str(), tool.qualified()].iter().any(|name| {
                    self.allow.find_served(server, name, |number| search.satisfies(number))
                })
            });
        match (allowed, search.lacking) {
            (true, _) => Ok(()),
            (false, Some(needs)) => Err(ScopeDenial::Lacking(needs)),
            (false, None) => Err(ScopeDenial::UnknownTool),
        }
    }

    /// A prompt needs no rule; but a rule that spells it out decides.
    fn check_prompt(&self, call: &ToolCall, agent: Option<&str>) -> Result<(), ScopeDenial> {
        let mut search = Search { table: self, call, agent, server: None, lacking: None };
        let rules = self.allow.spelled_out(call.tool().qualified());
        let allowed = rules.iter().any(|number| search.satisfies(*number));
        match search.lacking {
            Some(needs) if !allowed => Err(ScopeDenial::Lacking(needs)),
            _ => Ok(()),
        }
    }
}

/// Goes through the allow rules that match a tool.
struct Search<'s> {
    table: &'s ScopeTable,
    call: &'s ToolCall,
    agent: Option<&'s str>,
    server: Option<&'s str>,
    /// What the rules that know the tool ask for; `None` while none does.
    lacking: Option<Vec<Arc<str>>>,
}

impl Search<'_> {
    fn satisfies(&mut self, number: u32) -> bool {
        let Some(rule) = self.table.rules.get(number as usize) else { return false };
        if !matches_server(rule, self.server) || self.excepts(rule) {
            return false;
        }
        if rule.grants_to(self.agent) && rule.holds_for(self.call.principal()) {
            return true;
        }
        let lacking = self.lacking.get_or_insert_default();
        for need in &rule.needs {
            if !lacking.contains(need) {
                lacking.push(need.clone());
            }
        }
        false
    }

    /// Exceptions of a grant are denials: they compare case-folded, with either form of the name.
    fn excepts(&self, rule: &Rule) -> bool {
        !rule.except.is_empty() && {
            let tool = self.call.tool();
            let (qualified, name) = (folded(tool.qualified()), folded(tool.name().as_str()));
            rule.except.iter().any(|glob| glob.matches(&qualified) || glob.matches(&name))
        }
    }
}

/// Whether the rule covers the server. Only the caller knows whether both are case-folded.
fn matches_server(rule: &Rule, server: Option<&str>) -> bool {
    rule.servers.is_empty()
        || server.is_some_and(|server| rule.servers.iter().any(|glob| glob.matches(server)))
}

/// Tool and server names are ASCII, so this is full case folding.
pub(crate) fn folded(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests;
