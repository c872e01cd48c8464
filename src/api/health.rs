//! How a process is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Region;

/// How a process is, as `/health` tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// All of it works.
    pub ready: bool,
    /// What does not, a sentence each.
    pub problems: Vec<String>,
    /// `run`, `scheduler`, `worker` or `consumer`.
    pub role: String,
    /// The worker's name.
    pub worker: String,
    /// Where the worker stands.
    #[serde(default)]
    pub region: Region,
    /// What works as configured, and is hardly meant so: a sentence for each.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// Of this program.
    pub version: String,
    /// Since the process began.
    pub uptime_s: u64,
    /// Whether the database answers; `None` while starting and stopping, as all below.
    pub database: Option<Service>,
    /// Whether the result log can be reached.
    pub result_log: Option<Log>,
    /// What waits.
    pub queue: Option<Queue>,
    /// Work of this process that fails, by name (`ticks`, `claims`, `stores` …), and why.
    #[serde(default)]
    pub failing: BTreeMap<String, String>,
    /// Results of this process by status, since it began.
    pub results: Option<serde_json::Map<String, serde_json::Value>>,
    /// The worst time from slot to start since the last status line, milliseconds.
    pub worst_lag_ms: Option<u64>,
    /// Restarts of actors since the start.
    pub restarts: Option<u64>,
    /// Actor by actor.
    pub actors: Vec<Actor>,
}

/// A service that others run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// It answers.
    pub ok: bool,
    /// Why not.
    pub error: Option<String>,
}

/// The result log, seen from this process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// It can be reached.
    pub ok: bool,
    /// Why not.
    pub error: Option<String>,
    /// Results of this process that it has not acknowledged yet.
    pub unacknowledged: usize,
    /// Results that this process has still to store; `None` where it stores none.
    pub lag: Option<u64>,
    /// Results that the log has deleted before this process had read them, since it began.
    #[serde(default)]
    pub deleted_unread: u64,
}

/// The job queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Queue {
    /// Jobs, leased ones included.
    pub jobs: usize,
    /// Of these, with an owner.
    pub leased: usize,
    /// Slot of the oldest.
    pub oldest_due: Option<String>,
    /// Its age.
    pub oldest_due_age_s: Option<i64>,
}

/// One actor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Actor {
    /// Which.
    pub name: String,
    /// It runs.
    pub alive: bool,
    /// Since the start.
    pub restarts: u64,
}

impl Health {
    /// For people, with a line break at its end.
    pub fn line(&self) -> String {
        match self.problems.as_slice() {
            [] if self.warnings.is_empty() => format!("ready: {}\n", self.role),
            [] => format!("ready: {}; {}\n", self.role, self.warnings.join("; ")),
            problems => format!("not ready: {}\n", problems.join("; ")),
        }
    }
}
