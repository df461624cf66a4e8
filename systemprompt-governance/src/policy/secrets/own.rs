use std::collections::BTreeSet;
use std::sync::Arc;

use systemprompt_core::policy::{Canary, SecretPolicy};

use super::super::fault::{Faults, check_ids};
use crate::secret::{Entry, RuleFaultKind};

/// How long a canary may be, in bytes.
const CANARY_BYTES: std::ops::RangeInclusive<usize> = 16..=512;

/// The formats and canaries of a policy, checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnRules(Arc<[Entry]>);

impl OwnRules {
    pub(super) fn compile(
        document: &SecretPolicy,
        taken: &BTreeSet<Arc<str>>,
        faults: &mut Faults,
    ) -> Self {
        let ids = document.canaries.iter().map(|canary| canary.id.as_str());
        check_ids(faults, "secrets.canaries", "canary", ids);
        let mut entries = Vec::new();
        for (at, canary) in document.canaries.iter().enumerate() {
            check_canary(canary, &format!("secrets.canaries[{at}]"), faults);
            entries.push(Entry::of_canary(canary));
        }
        for (at, rule) in document.rules.iter().enumerate() {
            let entry = Entry::of_policy(rule);
            let again = entries.iter().any(|other: &Entry| other.id == entry.id);
            let result = match again || taken.contains(entry.id.as_str()) {
                true => Err(RuleFaultKind::Taken(entry.id.clone())),
                false => entry.check().and_then(|()| entry.compile()),
            };
            if let Err(kind) = result {
                faults.add(format!("secrets.rules[{at}]"), kind.to_string());
            }
            entries.push(entry);
        }
        Self(entries.into())
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.0
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = Arc<str>> {
        self.0.iter().map(|entry| entry.id.as_str().into())
    }

    pub(super) fn vendors(&self) -> impl Iterator<Item = Arc<str>> {
        self.0.iter().map(|entry| entry.vendor.as_str().into())
    }
}

/// A canary has a form that the scanner looks at, and never occurs by chance.
fn check_canary(canary: &Canary, path: &str, faults: &mut Faults) {
    let Canary { id, tenant, value } = canary;
    if !id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        faults.add(format!("{path}.id"), "a canary id is lower case letters, digits and `-`");
    }
    if systemprompt_core::id::TenantId::parse(tenant).is_err() {
        faults.add(format!("{path}.tenant"), "not the id of a tenant");
    }
    let token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let varied = value.bytes().collect::<BTreeSet<_>>().len() >= 8;
    if !CANARY_BYTES.contains(&value.len())
        || !value.bytes().all(token)
        || !value.bytes().any(|byte| byte.is_ascii_digit())
        // Documents hold numbers that are written in many ways.
        || !value.bytes().any(|byte| byte.is_ascii_alphabetic())
        || !varied
    {
        faults.add(
            format!("{path}.value"),
            format!(
                "a canary is {} to {} letters, digits, `_` and `-`, at least 8 different ones, with a \
                 letter and a digit among them",
                CANARY_BYTES.start(),
                CANARY_BYTES.end()
            ),
        );
    }
}
