//! YAML as profiles use it: one document of mappings, lists and scalars, with positions.
//!
//! Anchors, aliases, tags, duplicate keys and further documents are refused. Variables are filled into
//! scalars after parsing, so a value can never become structure.

mod deserialize;
mod fault;
mod interpolate;
mod node;
mod read;
mod scalar;
mod visit;

pub(super) use deserialize::deserialize;
pub(super) use interpolate::interpolate;
pub(super) use node::{Node, Scalar, Segment, Trail, Value, excerpt};
pub(super) use read::read;
pub(super) use scalar::Plain;

/// Longest profile, in bytes.
pub(super) const MAX_BYTES: usize = 1024 * 1024;

/// Deepest nesting of mappings and lists.
pub(super) const MAX_DEPTH: usize = 64;

/// Most faults that are collected.
pub(super) const MAX_FAULTS: usize = 50;

/// Something wrong at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) position: super::Position,
    pub(super) path: String,
    pub(super) message: String,
}
