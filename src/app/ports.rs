//! What the stages of a process talk to, whatever implements it.

use std::sync::Arc;

use crate::clock::Clock;
use crate::queue::JobQueue;
use crate::result_log::ResultLog;
use crate::store::ResultStore;

/// What the stages talk to.
#[derive(Clone)]
pub struct Ports {
    /// Due slots.
    pub queue: Arc<dyn JobQueue>,
    /// Results on their way.
    pub log: Arc<dyn ResultLog>,
    /// Results at their end.
    pub store: Arc<dyn ResultStore>,
    /// Wall time.
    pub clock: Clock,
}
