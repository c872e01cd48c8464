//! The result log on a real Kafka: what it promises, and what it does when brokers hurt.
#![cfg(feature = "kafka")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod letters;
mod refusals;
mod round;
#[allow(unused_imports, reason = "each test file uses a part of it")]
#[path = "../common/servers/mod.rs"]
mod servers;
mod sharing;
mod support;
