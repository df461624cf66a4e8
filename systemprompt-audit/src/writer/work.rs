//! What goes into one transaction, and the answers to it.

use systemprompt_core::contract::{AuditError, SettleError};

use super::command::{Append, Settlement};
use crate::StoreError;

pub(super) type Verdicts = Vec<Result<(), SettleError>>;

/// What goes into one transaction.
pub(super) struct Work<'w> {
    pub(super) appends: Vec<&'w Append>,
    pub(super) settlements: Vec<&'w Settlement>,
}

impl<'w> Work<'w> {
    pub(super) fn len(&self) -> usize {
        self.appends.len() + self.settlements.len()
    }

    /// Each command as work of its own, in the same order.
    pub(super) fn parts(&self) -> impl Iterator<Item = Work<'w>> {
        let append = |append: &&'w Append| Work { appends: vec![*append], settlements: Vec::new() };
        let settle = |settlement: &&'w Settlement| Work {
            appends: Vec::new(),
            settlements: vec![*settlement],
        };
        let parts: Vec<_> =
            self.appends.iter().map(append).chain(self.settlements.iter().map(settle)).collect();
        parts.into_iter()
    }
}

/// The answers to the commands of a batch, in their order.
#[derive(Default)]
pub(super) struct Results {
    pub(super) appends: Vec<Result<(), AuditError>>,
    pub(super) settlements: Verdicts,
}

impl Results {
    pub(super) fn failed(work: &Work<'_>, error: StoreError) -> Self {
        let error = AuditError::from(error);
        let settlements = work.settlements.iter();
        Self {
            appends: vec![Err(error.clone()); work.appends.len()],
            settlements: settlements.map(|_| Err(error.clone().into())).collect(),
        }
    }
}
