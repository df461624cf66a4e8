//! Requests: `decode` from callers, `encode` for providers. `input` and `items` are the conversation, `part`
//! the parts of a message, `tools` the tools and which of them to use, `names` what must be renamed, `count` asks for
//! the number of tokens, `fields` says what callers call what is lost.

mod calls;
mod count;
mod decode;
mod encode;
mod fields;
mod input;
mod items;
mod names;
mod part;
mod reasoning;
mod tools;

pub(super) use count::encode_count;
pub(super) use decode::decode;
pub(super) use encode::{encode, text as encode_text};
pub(super) use input::joined;
pub(super) use tools::{encode_choice, encode_tool};
