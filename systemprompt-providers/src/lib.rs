//! The model gateway of systemprompt: requests to models come in as Anthropic Messages, OpenAI Chat
//! Completions or OpenAI Responses, and go to the upstream that the routes choose.
//!
//! | module | what it is |
//! |---|---|
//! | [`canonical`] | requests, answers and streams in the form that every dialect translates to and from |
//! | [`dialect`] | one codec per wire: what a front reads and writes, what an upstream is sent and says |
//! | [`route`] | which provider and model a request goes to |
//! | [`preset`] | what is known of providers and models: places, quirks, capabilities |
//! | [`price`] | what it costs, in integer microdollars |
//! | [`budget`] | caps that are reserved before a request and settled after it |
//! | [`upstream`] | connections to providers |
//! | [`sse`] | server-sent events: a splitter that keeps the bytes of each frame, and a writer |

pub mod budget;
pub mod canonical;
pub mod dialect;
pub mod preset;
pub mod price;
pub mod route;
pub mod sse;
pub mod upstream;
