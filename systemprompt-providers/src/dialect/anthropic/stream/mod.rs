//! Answers in pieces.

mod decode;
mod encode;
mod open;
mod wire;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
