//! A small typed bus inside one process.

#[doc(inline)]
pub use systemprompt_core::event_bus::{Delivery, EventBus, Subscription};
