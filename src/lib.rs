//! Uptime Monitor.

pub mod clock;
pub mod model;
pub mod supervisor;
