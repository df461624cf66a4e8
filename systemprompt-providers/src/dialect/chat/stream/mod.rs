//! Streams: read from providers, written for callers.

mod blocks;
mod decode;
mod encode;
mod input;
mod plain;
mod tags;
mod thought;

pub(super) use decode::{Decoder, cut_off};
pub(super) use encode::{Encoder, Seen, finish_word, known};
