//! The reference profile, the JSON Schema and the guide made of it say the same as the code.

mod generated;
mod guide;
mod reference;
mod schema;
