//! What the secret scanner finds in a call.

use std::sync::Arc;

use systemprompt_core::call::ToolCall;
use systemprompt_core::decision::DenialReason;

use super::Inner;
use super::run::Detail;
use crate::policy::Policy;
use crate::secret::Finding;

/// *secret*: denies for the first finding that counts; `scan` gets the rules that found something.
pub(super) fn find_secret(
    inner: &Inner,
    policy: &Policy,
    call: &ToolCall,
    scan: &mut Option<Vec<Arc<str>>>,
) -> Result<(), (DenialReason, Detail)> {
    let disabled = policy.disabled_secret_rules().unwrap_or_default();
    let mut found = inner.scanner.scan_arguments(call.arguments());
    if found.is_none() {
        *scan = Some(Vec::new());
    } else {
        let all = inner.scanner.find_all(call.arguments());
        *scan = Some(rules_that_found(all.iter().cloned()));
        if !disabled.is_empty() {
            let counts = |rule: &str| !disabled.iter().any(|disabled| disabled == rule);
            found = all.into_iter().find(|finding| counts(&finding.rule));
        }
    }
    match found {
        None => Ok(()),
        Some(finding) => Err((
            DenialReason::SecretDetected {
                rule: finding.rule,
                location: finding.location,
                fingerprint: finding.fingerprint,
            },
            None,
        )),
    }
}

/// The ids of the rules behind `findings`, each once, in the order of the document.
pub(super) fn rules_that_found(findings: impl IntoIterator<Item = Finding>) -> Vec<Arc<str>> {
    let mut rules = Vec::new();
    for finding in findings {
        if !rules.contains(&finding.rule) {
            rules.push(finding.rule);
        }
    }
    rules
}
