use std::sync::Arc;

use parking_lot::Mutex;
use systemprompt_core::decision::Permit;

/// Holds the permit of a request on its way through a service. Clones share the one permit.
#[derive(Debug, Clone)]
pub struct PermitSlot(Arc<Mutex<Option<Permit>>>);

impl PermitSlot {
    pub(super) fn holding(permit: Permit) -> Self {
        Self(Arc::new(Mutex::new(Some(permit))))
    }

    /// Takes the permit, to run the tool with it or to settle it with an outcome of one's own. The layer
    /// then records nothing. `None` when it has been taken before.
    #[must_use]
    pub fn take(&self) -> Option<Permit> {
        self.0.lock().take()
    }
}
