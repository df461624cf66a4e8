//! What HTTP doors share: problem documents, the contract of authentication, and trace ids.
//!
//! The routers themselves are in [`governance::http`](crate::governance::http) and
//! [`audit::http`](crate::audit::http); [`App::router`](crate::runtime::App::router) is all of them.

#[doc(inline)]
pub use systemprompt_core::api::{
    AuthRefusal, Authenticate, Problem, RequestHead, trace_of, with_trace,
};
