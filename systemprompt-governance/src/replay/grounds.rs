use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::RecordedCheck;
use crate::policy::ScopeDenial;

/// What a denial rests on: a check and a rule of it, such as `blocklist:destructive`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grounds(String);

impl Grounds {
    pub(crate) fn new(check: &str, rule: &str) -> Self {
        Self(format!("{check}:{rule}"))
    }

    pub(crate) fn of_scope(denial: &ScopeDenial) -> Self {
        match denial {
            ScopeDenial::UnknownTool => Self::new("scope", "unknown_tool"),
            ScopeDenial::UnknownAgent => Self::new("scope", "unknown_agent"),
            ScopeDenial::NotGranted(agent) => Self::new("scope", &format!("agent {agent}")),
            ScopeDenial::DeniedBy(rule) => Self::new("scope", rule),
            ScopeDenial::Lacking(needs) => Self::lacking(needs.iter().map(|need| &**need)),
        }
    }

    fn lacking<'n>(needs: impl Iterator<Item = &'n str>) -> Self {
        let needs = needs.collect::<Vec<_>>().join(" or ");
        Self::new("scope", &format!("needs {needs}"))
    }

    /// The grounds of a denial by the code and the data of its reason, and by what the checks said.
    #[must_use]
    pub fn of_record(code: &str, data: Option<&Value>, checks: &[RecordedCheck]) -> Self {
        let named = |member: &str| data.and_then(|data| data.get(member)).and_then(Value::as_str);
        let (check, member) = match code {
            "unknown_tool" | "unknown_agent" => return Self::new("scope", code),
            "scope_violation" => return Self::of_violation(data, checks),
            "secret_detected" => ("secret", "rule"),
            "blocked" => ("blocklist", "list"),
            "rate_limited" => ("rate", "limit"),
            "policy" => ("check", "id"),
            "check_failed" => ("failed", "check"),
            other => return Self(other.to_owned()),
        };
        Self::new(check, named(member).unwrap_or_default())
    }

    fn of_violation(data: Option<&Value>, checks: &[RecordedCheck]) -> Self {
        let member = |name: &str| data.and_then(|data| data.get(name));
        if let Some(agent) = member("agent").and_then(Value::as_str) {
            return Self::new("scope", &format!("agent {agent}"));
        }
        let needs: Vec<&str> = member("required")
            .and_then(Value::as_array)
            .map(|needs| needs.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        if !needs.is_empty() {
            return Self::lacking(needs.into_iter());
        }
        let said = checks.iter().find(|check| check.check == "scope");
        let rule = said
            .and_then(|check| check.detail.as_deref())
            .and_then(|detail| detail.strip_prefix("the rule `")?.strip_suffix("` denies"));
        Self::new("scope", rule.unwrap_or("scope_violation"))
    }

    /// The grounds as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Grounds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
