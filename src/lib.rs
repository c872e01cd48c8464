//! Uptime Monitor.

pub mod app;
/// The command line.
pub mod cli {
    pub mod check;
    pub mod config;
}
pub mod clock;
pub mod config;
pub mod database;
pub mod failure;
pub mod model;
pub mod pipeline;
pub mod probe;
pub mod queue;
pub mod report;
pub mod result_log;
pub mod schedule;
pub mod store;
pub mod supervisor;
