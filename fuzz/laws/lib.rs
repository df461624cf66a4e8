//! What holds for every input of the fuzz targets of the model gateway.

pub mod cut;
pub mod messages;
mod odd;
pub mod sse;
pub mod streams;
mod wire;
