//! Requests with secrets in their headers, to the hosts those are bound to.

mod client;
mod error;
mod request;
mod resolver;
mod response;
mod tool;

pub use client::InjectingClient;
pub use error::HttpError;
pub use request::UpstreamRequest;
pub use response::UpstreamResponse;
pub use tool::{HttpTool, HttpToolSpec, ToolMethod};
