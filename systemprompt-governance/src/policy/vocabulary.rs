use std::collections::BTreeSet;

use systemprompt_core::id::{RoleId, Scope};
use systemprompt_core::policy::PolicyDocument;

use super::fault::Faults;

const BUILT_IN_SCOPES: [&str; 3] = ["admin", "tools:use", "audit:read"];
const BUILT_IN_ROLES: [&str; 2] = ["admin", "user"];

/// The scopes, roles and agents that a document may refer to.
#[derive(Debug)]
pub(crate) struct Vocabulary<'d> {
    scopes: BTreeSet<&'d str>,
    roles: BTreeSet<&'d str>,
    agents: BTreeSet<&'d str>,
}

impl<'d> Vocabulary<'d> {
    pub(crate) fn of(document: &'d PolicyDocument, faults: &mut Faults) -> Self {
        for (at, scope) in document.scopes.iter().enumerate() {
            if let Err(error) = Scope::parse(scope) {
                faults.add(format!("scopes[{at}]"), error.to_string());
            }
        }
        for (at, role) in document.roles.iter().enumerate() {
            if let Err(error) = RoleId::parse(role) {
                faults.add(format!("roles[{at}]"), error.to_string());
            }
        }
        let with = |built_in: &[&'static str], declared: &'d [String]| {
            built_in.iter().copied().chain(declared.iter().map(String::as_str)).collect()
        };
        Self {
            scopes: with(&BUILT_IN_SCOPES, &document.scopes),
            roles: with(&BUILT_IN_ROLES, &document.roles),
            agents: document.agents.iter().map(|agent| agent.id.as_str()).collect(),
        }
    }

    pub(crate) fn check_scopes(&self, path: &str, scopes: &[String], faults: &mut Faults) {
        check(path, "scope", scopes, &self.scopes, faults);
    }

    pub(crate) fn check_roles(&self, path: &str, roles: &[String], faults: &mut Faults) {
        check(path, "role", roles, &self.roles, faults);
    }

    pub(crate) fn check_agents(&self, path: &str, agents: &[String], faults: &mut Faults) {
        check(path, "agent", agents, &self.agents, faults);
    }
}

fn check(path: &str, kind: &str, texts: &[String], known: &BTreeSet<&str>, faults: &mut Faults) {
    for (at, text) in texts.iter().enumerate() {
        if !known.contains(text.as_str()) {
            faults.unknown(format!("{path}[{at}]"), kind, text, known.iter().copied());
        }
    }
}
