//! The result log on a real Kafka: what it promises, and what it does when brokers hurt.
#![cfg(feature = "kafka")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod letters;
mod loss;
mod refusals;
mod round;
mod sharing;
mod sizes;
mod support;
