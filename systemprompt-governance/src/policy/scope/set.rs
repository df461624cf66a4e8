use hashbrown::HashMap;

use super::super::glob::Shape;
use super::super::index::ToolIndex;
use super::rule::Rule;

/// Rules of one effect, found by tool and server.
#[derive(Debug, Default)]
pub(crate) struct RuleSet {
    /// Rules that name no server.
    free: ToolIndex,
    /// Rules whose servers are all spelled out.
    by_server: HashMap<Box<str>, ToolIndex>,
    /// Rules with a server pattern.
    patterned: ToolIndex,
}

impl RuleSet {
    pub(crate) fn of<'r>(rules: impl Iterator<Item = (u32, &'r Rule)>) -> Self {
        let mut set = Self::default();
        for (number, rule) in rules {
            let spelled_out = rule.servers.iter().all(|server| server.shape() == Shape::Exact);
            for tool in &rule.tools {
                if rule.servers.is_empty() {
                    set.free.insert(tool, number);
                } else if spelled_out {
                    for server in &rule.servers {
                        set.by_server
                            .entry(server.as_str().into())
                            .or_default()
                            .insert(tool, number);
                    }
                } else {
                    set.patterned.insert(tool, number);
                }
            }
        }
        set.free.finish();
        set.patterned.finish();
        set.by_server.values_mut().for_each(ToolIndex::finish);
        set
    }

    /// Visits the rules without servers whose patterns match `name`, until `visit` returns `true`.
    pub(crate) fn find_free(&self, name: &str, visit: impl FnMut(u32) -> bool) -> bool {
        self.free.find(name, visit)
    }

    /// Visits the rules with servers whose tool patterns match `name`. The server patterns of what is
    /// visited are still to be compared.
    pub(crate) fn find_served(
        &self,
        server: &str,
        name: &str,
        mut visit: impl FnMut(u32) -> bool,
    ) -> bool {
        self.by_server.get(server).is_some_and(|index| index.find(name, &mut visit))
            || self.patterned.find(name, visit)
    }

    /// Rules without servers that spell out `name`.
    pub(crate) fn spelled_out(&self, name: &str) -> &[u32] {
        self.free.exact(name)
    }

    /// Visits the rules without servers whose patterns cover the pattern `other`.
    pub(crate) fn find_free_covering(&self, other: &str, visit: impl FnMut(u32) -> bool) -> bool {
        self.free.find_covering(other, visit)
    }

    /// Visits the rules with servers whose tool patterns cover the pattern `other`, for the server
    /// pattern `server`.
    pub(crate) fn find_served_covering(
        &self,
        server: &str,
        other: &str,
        mut visit: impl FnMut(u32) -> bool,
    ) -> bool {
        self.by_server.get(server).is_some_and(|index| index.find_covering(other, &mut visit))
            || self.patterned.find_covering(other, visit)
    }
}
