use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use systemprompt_core::policy::{PolicyDocument, PolicyFault};

use super::blocklist::Blocklists;
use super::fault::Faults;
use super::limit::Limit;
use super::scope::ScopeTable;
use super::secrets::Secrets;
use super::version::version_of;
use super::vocabulary::Vocabulary;
use super::{KnownIds, Policy};

const LIFETIMES_S: std::ops::RangeInclusive<u64> = 1..=86_400;
const TIMEOUTS_MS: std::ops::RangeInclusive<u64> = 1..=60_000;

impl Policy {
    /// Compiles `document`.
    ///
    /// # Errors
    /// Every fault of the document, each with its path.
    pub fn compile(document: &PolicyDocument, known: &KnownIds) -> Result<Self, Vec<PolicyFault>> {
        let mut faults = Faults::default();
        let words = Vocabulary::of(document, &mut faults);
        check_ranges(document, &mut faults);
        check_known(
            "checks.disabled",
            "check",
            &document.checks.disabled,
            &known.checks,
            &mut faults,
        );
        let scope = ScopeTable::compile(document, &words, &mut faults);
        let blocklists = Blocklists::compile(&document.blocklists, &words, &mut faults);
        let secrets = Secrets::compile(&document.secrets, known, &mut faults);
        let limits = Limit::compile_all(&document.limits, &mut faults);
        let version = version_of(document).map_err(|problem| faults.add("", problem)).ok();
        let policy = version.map(|version| Self {
            version,
            enabled: document.enabled,
            on_allow: document.on_allow,
            permit_lifetime: Duration::from_secs(document.permit_lifetime_s),
            scope,
            blocklists,
            limits,
            secrets,
            check_timeout: Duration::from_millis(document.checks.timeout_ms),
            disabled_checks: document.checks.disabled.iter().cloned().collect(),
        });
        faults.into_result(policy)
    }
}

fn check_ranges(document: &PolicyDocument, faults: &mut Faults) {
    for (path, value, range) in [
        ("permit_lifetime_s", document.permit_lifetime_s, LIFETIMES_S),
        ("checks.timeout_ms", document.checks.timeout_ms, TIMEOUTS_MS),
    ] {
        if !range.contains(&value) {
            faults.add(path, format!("{value} is not within {} to {}", range.start(), range.end()));
        }
    }
}

pub(super) fn check_known(
    path: &str,
    kind: &str,
    texts: &[String],
    known: &BTreeSet<Arc<str>>,
    faults: &mut Faults,
) {
    for (at, text) in texts.iter().enumerate() {
        if !known.contains(text.as_str()) {
            faults.unknown(format!("{path}[{at}]"), kind, text, known.iter().map(|id| &**id));
        }
    }
}
