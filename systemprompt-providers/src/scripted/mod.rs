//! An upstream for tests that answers byte for byte what a script says.
//!
//! [`ScriptedUpstream`] is an HTTP/1.1 server on a free port of this machine, over plain sockets: it can do
//! what no proper server would. It can answer in slices of any size, stand still, break off in the middle
//! of a chunk, reset the connection, or say what is no HTTP at all. It keeps a journal of what it was
//! sent, to the byte, and knows which clients went away before their answer was whole.
//!
//! ```
//! use systemprompt_providers::scripted::{Script, ScriptedUpstream, sse};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let upstream = ScriptedUpstream::start().await?;
//! upstream.on("POST", "/v1/messages", Script::status(529).header("retry-after-ms", "1"));
//! upstream.on("POST", "/v1/messages", sse(["data: {\"type\":\"ping\"}\n\n"]));
//! let base_url = upstream.url();
//! # drop(base_url);
//! # Ok(())
//! # }
//! ```

mod connection;
mod journal;
mod request;
mod script;
mod server;

pub use journal::{Departure, SeenRequest};
pub use script::{Framing, Script, Step, sse};
pub use server::ScriptedUpstream;
