//! OpenAI Chat Completions: front and upstream.
mod fields;
mod names;
mod reasoning;
mod request;
mod usage;
