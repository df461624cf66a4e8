use std::collections::BTreeSet;

use systemprompt_core::config::RouteCondition;
use systemprompt_core::id::{RoleId, TenantId};
use systemprompt_core::principal::Principal;

/// What routes look at.
#[derive(Debug, Clone, Copy)]
pub struct RouteQuery<'q> {
    /// The model that was asked for.
    pub model: &'q str,
    /// Whether the request has tools.
    pub tools: bool,
    /// Whether it asks the model to think.
    pub thinking: bool,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The tokens of its prompt, by an estimate.
    pub estimated_tokens: u64,
    /// The caller's tenant.
    pub tenant: Option<&'q TenantId>,
    /// The caller's roles.
    pub roles: &'q BTreeSet<RoleId>,
    /// What decides between the entries of a split: a random number, or a hash of what shall stay with one
    /// of them. The same number is the same entry.
    pub draw: u64,
}

impl<'q> RouteQuery<'q> {
    /// A plain request of a caller.
    #[must_use]
    pub fn new(model: &'q str, principal: &'q Principal, draw: u64) -> Self {
        let claims = principal.claims();
        Self {
            model,
            tools: false,
            thinking: false,
            stream: false,
            estimated_tokens: 0,
            tenant: Some(&claims.tenant),
            roles: &claims.roles,
            draw,
        }
    }

    /// Whether a condition holds.
    pub(super) fn meets(&self, condition: &RouteCondition) -> bool {
        let same = |wanted: Option<bool>, is: bool| wanted.is_none_or(|wanted| wanted == is);
        same(condition.tools, self.tools)
            && same(condition.thinking, self.thinking)
            && same(condition.stream, self.stream)
            && condition.min_tokens.is_none_or(|least| self.estimated_tokens >= least)
            && is_caller(condition, self.tenant, self.roles)
    }
}

/// Whether the part of a condition holds that is about the caller.
pub(super) fn is_caller(
    condition: &RouteCondition,
    tenant: Option<&TenantId>,
    roles: &BTreeSet<RoleId>,
) -> bool {
    condition.tenant.as_ref().is_none_or(|wanted| tenant == Some(wanted))
        && condition.role.as_ref().is_none_or(|wanted| roles.contains(wanted))
}
