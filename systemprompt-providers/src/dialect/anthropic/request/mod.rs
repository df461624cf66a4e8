//! Requests: `POST /v1/messages`.

mod block_in;
mod block_out;
mod cache;
mod decode;
mod encode;
mod media_out;
mod model;
mod rest;
mod sampling;
mod schema;
mod thinking;
mod tool_in;
mod tool_out;
mod turns;

pub(super) use decode::decode;
pub(super) use encode::encode;
