//! A tower layer: every request of a service is a governed call.
//!
//! A [`Gate`] says which call a request stands for and what a refusal looks like. A request that is
//! allowed passes on with a [`PermitSlot`]; when the service has answered, the permit is settled by the
//! answer, unless the service has taken it out of the slot to settle it itself. A request that is
//! dropped on the way leaves its permit abandoned.
//!
//! For HTTP there is [`HttpGate`] (feature `http`).

mod gate;
#[cfg(feature = "http")]
mod http_gate;
mod service;
mod slot;

pub use gate::{Gate, NotACall, Refused};
#[cfg(feature = "http")]
pub use http_gate::{HttpGate, Unreadable};
pub use service::{GovernLayer, GovernService};
pub use slot::PermitSlot;
