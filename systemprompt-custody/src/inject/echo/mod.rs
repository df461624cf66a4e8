//! Takes the secrets of a call out of what its tool gives back.
//!
//! A tool that was handed a secret may repeat it: in an error, in a log line, in an answer that shows
//! the request. [`EchoFilter`] knows the values of one call and replaces each of them, and each of the
//! encodings below, by `[redacted:secret://name]`:
//!
//! - the value itself,
//! - base64 with the standard and the URL alphabet, wherever the value stands in what was encoded,
//! - hexadecimal digits of either case,
//! - percent-encoding and form encoding, of the characters that need it or of all,
//! - the escapes of JSON (also of JSON within JSON), of HTML, `\xNN` and `\uNNNN`,
//! - the user and password that a value for basic authentication stands for.
//!
//! White space between the characters is passed over, so that lines wrapped by `base64` or spread by
//! `od` are found, too. [`EchoStream`] does the same for output that comes in pieces: however it is cut,
//! the filtered text is the same, and no byte of a value leaves before it is clear that it is none.
//!
//! What is not found: a value that was compressed, encrypted, reversed, cut into fields or written in
//! another encoding; less than the whole of it; and, at either end of a value inside a longer base64
//! text, the one character that it shares with its neighbour (at most four bits of the value).

mod automaton;
mod filter;
mod forms;
mod stream;

pub use filter::EchoFilter;
pub use stream::EchoStream;

pub(super) use forms::significant;

/// Shortest value that can be told from ordinary text, in bytes without white space.
pub(in crate::inject) const MIN_BYTES: usize = 8;
