//! What the HTTP doors share: problem documents, trace ids, and the authentication contract.

mod authenticate;
mod problem;
mod trace;

pub use authenticate::{AuthRefusal, Authenticate, RequestHead};
pub use problem::Problem;
pub use trace::{trace_of, with_trace};
