//! What the process counts, as Prometheus wants to read it. Labels come from fixed sets and never from
//! a caller, so that nothing a caller sends shows up here and their number stays bounded.

mod exposition;
mod families;

pub(crate) use exposition::Exposition;
