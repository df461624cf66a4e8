//! Secrets that a tool needs and a model must not see: kept encrypted, granted for declared uses, and put
//! into requests and processes after the decision.

pub mod inject;
