//! The `systemprompt` command line.
mod args;
mod command;
mod failure;
mod output;
mod policy;
mod session;
