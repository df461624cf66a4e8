use hashbrown::HashMap;
use systemprompt_core::id::{AgentId, DepartmentId, UserId};
use systemprompt_core::policy::AgentPolicy;
use systemprompt_core::principal::Principal;

use super::fault::Faults;
use super::vocabulary::Vocabulary;

/// Who may act as which agent. Everything compares exactly: these are grants.
#[derive(Debug, Default)]
pub(crate) struct Agents(HashMap<Box<str>, Grant>);

#[derive(Debug)]
struct Grant {
    everyone: bool,
    scopes: Vec<String>,
    roles: Vec<String>,
    users: Vec<String>,
    departments: Vec<String>,
}

/// What the policy says about a principal that names an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Unknown,
    NotGranted,
    Granted,
}

impl Agents {
    pub(crate) fn compile(
        agents: &[AgentPolicy],
        words: &Vocabulary<'_>,
        faults: &mut Faults,
    ) -> Self {
        let mut table = HashMap::with_capacity(agents.len());
        for (at, agent) in agents.iter().enumerate() {
            let path = format!("agents[{at}]");
            if let Err(error) = AgentId::parse(&agent.id) {
                faults.add(format!("{path}.id"), error.to_string());
            }
            if Grant::of(agent).is_empty() {
                faults.add(
                    &path,
                    "nobody may act as this agent; say who may, with `everyone: true`, `scopes`, \
                     `roles`, `users` or `departments`",
                );
            }
            words.check_scopes(&format!("{path}.scopes"), &agent.scopes, faults);
            words.check_roles(&format!("{path}.roles"), &agent.roles, faults);
            check_parsed(&format!("{path}.users"), &agent.users, UserId::parse, faults);
            check_parsed(
                &format!("{path}.departments"),
                &agent.departments,
                DepartmentId::parse,
                faults,
            );
            if table.insert(agent.id.as_str().into(), Grant::of(agent)).is_some() {
                faults
                    .add(format!("{path}.id"), format!("the agent `{}` is listed twice", agent.id));
            }
        }
        Self(table)
    }

    pub(crate) fn knows(&self, agent: &AgentId) -> bool {
        self.0.contains_key(agent.as_str())
    }

    pub(crate) fn standing(&self, agent: &AgentId, principal: &Principal) -> Standing {
        match self.0.get(agent.as_str()) {
            None => Standing::Unknown,
            Some(grant) if grant.holds_for(principal) => Standing::Granted,
            Some(_) => Standing::NotGranted,
        }
    }
}

impl Grant {
    fn of(agent: &AgentPolicy) -> Self {
        Self {
            everyone: agent.everyone,
            scopes: agent.scopes.clone(),
            roles: agent.roles.clone(),
            users: agent.users.clone(),
            departments: agent.departments.clone(),
        }
    }

    fn is_empty(&self) -> bool {
        !self.everyone
            && [&self.scopes, &self.roles, &self.users, &self.departments]
                .iter()
                .all(|list| list.is_empty())
    }

    fn holds_for(&self, principal: &Principal) -> bool {
        self.everyone
            || self.scopes.iter().any(|scope| principal.has_scope(scope))
            || self.roles.iter().any(|role| principal.has_role(role))
            || self.users.iter().any(|user| user == principal.user().as_str())
            || principal
                .department()
                .is_some_and(|own| self.departments.iter().any(|listed| listed == own.as_str()))
    }
}

fn check_parsed<T>(
    path: &str,
    texts: &[String],
    parse: fn(&str) -> Result<T, systemprompt_core::id::IdError>,
    faults: &mut Faults,
) {
    for (at, text) in texts.iter().enumerate() {
        if let Err(error) = parse(text) {
            faults.add(format!("{path}[{at}]"), error.to_string());
        }
    }
}
