use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::ArcSwap;
use systemprompt_core::content::ContentBody;
use systemprompt_core::secret::Redact;

use super::clean::CleanTexts;
use crate::policy::Policy;
use crate::secret::Scanner;

/// The policy in force with the scanner that goes with it, swapped together.
pub(crate) struct Current {
    /// The scanner of the installation.
    base: Scanner,
    in_force: ArcSwap<InForce>,
}

/// A policy, and the scanner of the installation with what the policy adds to it.
pub(crate) struct InForce {
    pub(crate) policy: Arc<Policy>,
    pub(crate) scanner: Scanner,
    /// Texts in which that scanner found nothing.
    clean: CleanTexts,
}

impl Current {
    pub(super) fn new(policy: Arc<Policy>, base: Scanner) -> Self {
        let in_force = ArcSwap::from_pointee(InForce::new(policy, &base));
        Self { base, in_force }
    }

    pub(super) fn load(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    pub(super) fn store(&self, policy: Policy) {
        self.in_force.store(Arc::new(InForce::new(Arc::new(policy), &self.base)));
    }
}

impl InForce {
    fn new(policy: Arc<Policy>, base: &Scanner) -> Self {
        let scanner = policy.scanner(base);
        Self { policy, scanner, clean: CleanTexts::new() }
    }

    /// Whether nothing was found in the text before.
    pub(super) fn knows_as_clean(&self, body: ContentBody<'_>) -> bool {
        self.clean.contains(body)
    }

    pub(super) fn remember_as_clean(&self, body: ContentBody<'_>) {
        self.clean.add(body);
    }
}

impl Redact for Current {
    fn redact<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.in_force.load().scanner.redact(text)
    }
}
