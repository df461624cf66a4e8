//! One file per command.

pub(crate) mod analytics;
pub(crate) mod audit;
pub(crate) mod audit_key;
pub(crate) mod audit_proof;
pub(crate) mod audit_verify;
pub(crate) mod config;
pub(crate) mod db;
pub(crate) mod govern;
pub(crate) mod keys;
pub(crate) mod plugins;
pub(crate) mod policy;
pub(crate) mod providers;
pub(crate) mod routes;
pub(crate) mod scan;
pub(crate) mod secrets;
pub(crate) mod serve;
pub(crate) mod users;
