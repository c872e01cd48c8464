//! The real binary under load, and real faults: killed, told to stop, starved of disk, of descriptors, of its
//! database. Each test ends with the real `audit`, which has to find every slot.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod database;
mod disk;
mod health;
mod kill;
mod late;
mod load;
mod machine;
mod process;
mod sites;
mod stop;
mod upgrade;
mod waiting;

#[path = "../common/target.rs"]
#[allow(unreachable_pub, reason = "shared with tests that are one file")]
mod target;
