//! Requests: read from callers, written for providers.

mod choice;
mod content;
mod decode;
mod encode;
mod history;
mod options;
mod parts;
mod paths;
mod tools;
mod turns;

pub(super) use decode::decode;
pub(super) use encode::encode;
