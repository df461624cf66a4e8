//! What can happen to a log on a server, and to several on one.

mod crash;
mod cut;
mod load;
mod replicas;
mod tables;
mod verifying;
mod views;
