//! Uptime Monitor.

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod database;
pub mod model;
pub mod probe;
pub mod queue;
pub mod report;
pub mod result_log;
pub mod schedule;
pub mod store;
