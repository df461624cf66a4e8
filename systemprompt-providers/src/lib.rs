//! The model gateway of systemprompt: requests to models come in as Anthropic Messages, OpenAI Chat
//! Completions or OpenAI Responses, and go to the upstream that the routes choose.
//!
//! | module | what it is |
//! |---|---|
//! | [`gateway`] | what happens between a request of a caller and the answer of a provider |
//! | [`dialect`] | one codec per wire, to and from the [canonical form](systemprompt_core::llm) |
//! | [`route`] | which provider and model a request goes to |
//! | [`preset`] | what is known of providers and models: places, quirks, capabilities |
//! | [`price`] | what it costs, in integer microdollars |
//! | [`budget`] | caps that are reserved before a request and settled after it |
//! | [`echo`] | a model that is built in, and answers with what it is told |
//! | [`upstream`] | connections to providers |
//! | [`probe`] | whether a provider answers, asked by an operator |
//! | `scripted` | an upstream for tests (feature `test-utils`) |
//! | [`sse`] | server-sent events: a splitter that keeps the bytes of each frame, and a writer |
//!
//! # Features
//!
//! | feature | brings | default |
//! |---|---|---|
//! | `database` | `schema`, the tables of budgets that replicas share | no |
//! | `sqlite` | budgets in the embedded SQLite database | yes |
//! | `postgres` | budgets in PostgreSQL | no |
//! | `genai-prices` | prices of the crate `genai-prices`, to be put over those that are built in | no |
//! | `http` | the doors that clients of models call, as axum routers | no |
//! | `test-utils` | `scripted`, an upstream for tests | no |

pub mod budget;
pub mod dialect;
pub mod echo;
pub mod gateway;
pub mod preset;
pub mod price;
pub mod probe;
mod provider_key;
pub mod route;
#[cfg(feature = "database")]
mod schema;
#[cfg(feature = "test-utils")]
pub mod scripted;
pub mod sse;
pub mod upstream;

#[cfg(feature = "database")]
#[doc(inline)]
pub use schema::schema;
