//! Streamed answers: [`Decoder`] reads a provider's, [`Encoder`] writes a caller's.

mod blocks;
mod decode;
mod encode;
mod event;
mod ids;
mod item;
mod slot;

pub(super) use decode::Decoder;
pub(super) use encode::{Encoder, encode_whole};

/// The most bytes of text that one answer may have; more is an attack, not an answer.
const LONGEST_ANSWER: usize = 64 << 20;
