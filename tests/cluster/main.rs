//! The real binary in its roles, over a real PostgreSQL and a real Kafka, under load, and real faults: processes killed and
//! stopped, servers stopped, frozen and cut off. Each test ends with the real `audit`, which has to find every slot.

#![cfg(feature = "kafka")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod broker;
mod cluster;
mod database;
mod fleet;
mod lag;
mod members;
mod messages;
mod moving_up;
mod network;
mod read_only;
mod refusals;
mod region;
mod silence;
mod start;
mod topic;
mod upgrade;

#[path = "../process/process.rs"]
#[allow(dead_code, reason = "shared with the tests of one process")]
mod process;
#[path = "../common/servers/mod.rs"]
mod servers;
#[path = "../common/target.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with tests that are one file")]
mod target;
#[path = "../process/waiting.rs"]
#[allow(dead_code, reason = "shared with the tests of one process")]
mod waiting;
