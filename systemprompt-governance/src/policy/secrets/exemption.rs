use std::sync::Arc;

use systemprompt_core::policy::{SecretDirection, SecretExemption};

use super::super::fault::{Faults, check_ids};
use super::super::glob::Glob;
use super::super::scope::globs;
use super::field::FieldPattern;
use super::{Known, Place, any, any_tool};
use crate::secret::Finding;

/// Findings that do not count.
#[derive(Debug)]
pub(super) struct Exemption {
    pub(super) id: Arc<str>,
    rules: Vec<Glob>,
    /// Compared exactly: whoever is exempt is named as it is.
    tools: Vec<Glob>,
    fields: Vec<FieldPattern>,
    directions: Vec<SecretDirection>,
}

impl Exemption {
    pub(super) fn compile_all(
        exemptions: &[SecretExemption],
        known: &Known<'_>,
        faults: &mut Faults,
    ) -> Vec<Self> {
        let ids = exemptions.iter().map(|exemption| exemption.id.as_str());
        check_ids(faults, "secrets.exemptions", "exemption", ids);
        let compile = |(at, exemption): (usize, &SecretExemption)| {
            Self::compile(exemption, &format!("secrets.exemptions[{at}]"), known, faults)
        };
        exemptions.iter().enumerate().map(compile).collect()
    }

    fn compile(
        exemption: &SecretExemption,
        path: &str,
        known: &Known<'_>,
        faults: &mut Faults,
    ) -> Self {
        let SecretExemption { id, reason, rules, tools, fields, directions } = exemption;
        if reason.trim().is_empty() {
            faults.add(format!("{path}.reason"), "an exemption says why");
        }
        if rules.is_empty() && tools.is_empty() && fields.is_empty() {
            faults.add(path, "exempts everything; name `rules`, `tools` or `fields`");
        }
        let mut patterns = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            match FieldPattern::parse(field) {
                Some(pattern) => patterns.push(pattern),
                None => faults.add(
                    format!("{path}.fields[{at}]"),
                    format!(
                        "`{}` is no path such as `$.headers.token` or `$.items[*][\"a b\"]`",
                        field.escape_debug()
                    ),
                ),
            }
        }
        let directions = match directions.as_slice() {
            [] => vec![SecretDirection::Call],
            given => given.to_vec(),
        };
        Self {
            id: id.as_str().into(),
            rules: known.rules(&format!("{path}.rules"), rules, faults),
            tools: globs(&format!("{path}.tools"), tools, false, faults),
            fields: patterns,
            directions,
        }
    }

    pub(super) fn covers(&self, finding: &Finding, place: Place<'_>) -> bool {
        self.may_cover(&finding.rule, place)
            && (self.fields.is_empty()
                || self.fields.iter().any(|field| field.covers(finding.location.as_str())))
    }

    /// Whether the exemption may count for findings of the rule, wherever they are.
    pub(super) fn may_cover(&self, rule: &str, place: Place<'_>) -> bool {
        any(&self.rules, rule)
            && any_tool(&self.tools, place.tool)
            && self.directions.contains(&place.direction)
    }
}
