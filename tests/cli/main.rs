//! The command line as a user meets it: the real binary, in a folder of its own, without network.

#![allow(clippy::unwrap_used, reason = "clippy's exception for tests leaves out helpers outside #[test]")]

mod answers;
mod check;
mod configuration;
mod expectations;
mod import;
mod secrets;
mod server;
mod sites;
mod support;
mod tcp;
mod usage;
