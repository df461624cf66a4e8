mod error;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use systemprompt_core::contract::{BudgetCap, BudgetKey};
use systemprompt_core::id::{TenantId, TokenId, UserId};
use systemprompt_core::money::Microdollars;

pub use error::{BudgetRuleError, BudgetRuleProblem};

/// The longest name of a rule, in bytes.
const LONGEST_NAME: usize = 64;

/// One budget: a cap for each value of its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetRule {
    /// Its name in refusals and reports, and what keeps its counters apart from those of other rules:
    /// 1 to 64 bytes without control characters.
    pub name: String,
    /// What each cap is for; nothing means one cap for all requests together.
    #[serde(default)]
    pub key: Vec<BudgetDimension>,
    /// Most microdollars in a window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_microdollars: Option<u64>,
    /// Most tokens in a window, those of the prompt and of the answer together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_tokens: Option<u64>,
    /// How long a window is, in seconds, up to 4,294,967,295. Windows are aligned to the Unix epoch:
    /// 86,400 is a day of UTC.
    pub window_s: u64,
}

/// What a budget is kept for each value of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetDimension {
    /// Each tenant.
    Tenant,
    /// Each user of each tenant.
    User,
    /// Each API key or token of each tenant.
    Key,
    /// Each model.
    Model,
}

/// Who asks which model.
#[derive(Debug, Clone, Copy)]
pub struct BudgetSubject<'s> {
    /// The caller's tenant.
    pub tenant: &'s TenantId,
    /// The caller.
    pub user: &'s UserId,
    /// The caller's credential.
    pub key: &'s TokenId,
    /// The model that will answer, as the route names it: a caller could name one model in many ways.
    pub model: &'s str,
}

/// Budgets that are ready for use. Cloning is a reference count.
#[derive(Debug, Clone, Default)]
pub struct BudgetRules(Arc<[Compiled]>);

#[derive(Debug)]
struct Compiled {
    name: Arc<str>,
    tenant: bool,
    user: bool,
    key: bool,
    model: bool,
    limit_microdollars: Option<Microdollars>,
    limit_tokens: Option<u64>,
    window_s: NonZeroU32,
}

impl BudgetRules {
    /// Checks rules.
    ///
    /// # Errors
    /// [`BudgetRuleError`] for the first rule that cannot be used, with the field that is wrong.
    pub fn compile(rules: &[BudgetRule]) -> Result<Self, BudgetRuleError> {
        let compiled = rules.iter().enumerate().map(|(position, rule)| {
            let before = rules.iter().take(position);
            Compiled::of(rule, before).map_err(|problem| BudgetRuleError {
                position,
                name: rule.name.clone(),
                problem,
            })
        });
        Ok(Self(compiled.collect::<Result<_, _>>()?))
    }

    /// The caps that apply to a request of `subject`, in the order of the rules.
    #[must_use]
    pub fn caps(&self, subject: &BudgetSubject<'_>) -> Vec<BudgetCap> {
        self.0.iter().map(|rule| rule.cap(subject)).collect()
    }

    /// Whether there is no budget, and nothing to reserve.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Compiled {
    fn of<'r>(
        rule: &BudgetRule,
        mut before: impl Iterator<Item = &'r BudgetRule>,
    ) -> Result<Self, BudgetRuleProblem> {
        let length = rule.name.len();
        if !(1..=LONGEST_NAME).contains(&length) || rule.name.chars().any(char::is_control) {
            return Err(BudgetRuleProblem::Name);
        }
        if before.any(|other| other.name == rule.name) {
            return Err(BudgetRuleProblem::Duplicate);
        }
        if rule.limit_microdollars.is_none() && rule.limit_tokens.is_none() {
            return Err(BudgetRuleProblem::NoLimit);
        }
        let has = |dimension| rule.key.iter().filter(|named| **named == dimension).count();
        let (tenant, user) = (has(BudgetDimension::Tenant), has(BudgetDimension::User));
        let (key, model) = (has(BudgetDimension::Key), has(BudgetDimension::Model));
        if [tenant, user, key, model].iter().any(|times| *times > 1) {
            return Err(BudgetRuleProblem::Key);
        }
        let limit = rule.limit_microdollars.map(i64::try_from).transpose();
        let limit = limit.map_err(|_| BudgetRuleProblem::Limit("limit_microdollars"))?;
        if rule.limit_tokens.is_some_and(|limit| i64::try_from(limit).is_err()) {
            return Err(BudgetRuleProblem::Limit("limit_tokens"));
        }
        let window_s = u32::try_from(rule.window_s).ok().and_then(NonZeroU32::new);
        Ok(Self {
            name: rule.name.as_str().into(),
            // Users and keys are of a tenant: those of the same name in another are others.
            tenant: tenant > 0 || user > 0 || key > 0,
            user: user > 0,
            key: key > 0,
            model: model > 0,
            limit_microdollars: limit.map(Microdollars::new),
            limit_tokens: rule.limit_tokens,
            window_s: window_s.ok_or(BudgetRuleProblem::Window)?,
        })
    }

    fn cap(&self, subject: &BudgetSubject<'_>) -> BudgetCap {
        let parts = [
            ("tenant", self.tenant.then(|| subject.tenant.as_str())),
            ("user", self.user.then(|| subject.user.as_str())),
            ("key", self.key.then(|| subject.key.as_str())),
            ("model", self.model.then_some(subject.model)),
        ];
        BudgetCap {
            name: self.name.clone(),
            key: BudgetKey::new(&key_text(&self.name, parts)),
            limit_microdollars: self.limit_microdollars,
            limit_tokens: self.limit_tokens,
            window_s: self.window_s,
        }
    }
}

/// The text of a key, such as `5:daily tenant=4:acme user=3:ann`. Each value stands after its length in
/// bytes, so none can pass for another or for two.
fn key_text<'v>(
    name: &str,
    parts: impl IntoIterator<Item = (&'static str, Option<&'v str>)>,
) -> String {
    let mut text = format!("{}:{name}", name.len());
    for (dimension, value) in parts {
        if let Some(value) = value {
            // Writing to a string does not fail.
            let _ = write!(text, " {dimension}={}:{value}", value.len());
        }
    }
    text
}
