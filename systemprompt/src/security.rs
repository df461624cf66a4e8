//! Secret values that cannot be printed, and their removal from text.

#[doc(inline)]
pub use systemprompt_core::secret::{Redact, Secret};
