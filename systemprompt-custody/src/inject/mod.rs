//! Puts secrets where they were declared, after the policy has decided and the audit log has recorded.
//!
//! A tool call is decided, recorded and digested with the *names* of secrets in it. What runs the tool
//! under the call's [`Permit`](systemprompt_core::decision::Permit) then opens them and puts each into
//! the one place it is declared for, and takes them out of what comes back: the model that asked for the
//! call sees neither.
//!
//! - [`InjectionSettings`] say which secret goes where; [`Bindings`] are what is checked of them.
//! - [`Injector`] makes an [`Injection`] of a claimed permit, which opens secrets.
//! - [`InjectingClient`] sends requests with them, to the hosts they are bound to and to no other.
//! - [`ProcessSpec`] starts child processes with them, in an environment that holds nothing else.
//! - [`EchoFilter`] takes them out of what a tool gives back.
//! - [`HttpTool`] and [`ProcessTool`] are all of that behind one
//!   [`ToolProvider`](systemprompt_core::contract::ToolProvider).
//! - [`harden_process`] keeps children from reading what this process knows.

mod bindings;
mod echo;
mod error;
mod fault;
mod http;
mod injected_arguments;
mod injection;
mod injector;
mod placeholder;
mod pointer;
mod process;
pub(crate) mod sink_rule;
mod template;

pub use bindings::Bindings;
pub use echo::{EchoFilter, EchoStream};
pub use error::InjectError;
pub use fault::{BindingFault, BindingFaults, BindingProblem};
pub use http::{
    HttpError, HttpTool, HttpToolSpec, InjectingClient, ToolMethod, UpstreamRequest,
    UpstreamResponse,
};
pub use injected_arguments::InjectedArguments;
pub use injection::Injection;
pub use injector::Injector;
pub use placeholder::PlaceholderFault;
pub use process::{
    ChildLife, ChildProcess, FilteredOutput, Hardening, ProcessError, ProcessSettings, ProcessSpec,
    ProcessTool, ProcessUser, harden_process,
};
#[doc(inline)]
pub use systemprompt_core::injection::{
    Binding, BoundHost, BoundHostError, BoundSink, CrossHost, Declaration, DeclaredHeader,
    HttpSettings, InjectionSettings, NamedSecret, NamedSecretError, ProcessLimits,
};
pub use template::TemplateFault;

#[cfg(doctest)]
#[doc = include_str!("../../../docs/secret-injection.md")]
struct Guide;
