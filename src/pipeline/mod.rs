//! The stages, in flow order: each is an actor, and knows its neighbour only by the message it sends.
//!
//! ```text
//! Scheduler ─JobsQueued─▶ Claimer ◀─Pull── Checker × threads ─Publish─▶ Publisher ─▶ result log ─▶ Persister
//! ```
//!
//! Work is pulled: a checker asks for as many jobs as it has free slots, so no mailbox grows. Results are pushed,
//! and a checker counts them as its own until they are stored, so they are bounded too.

mod aside;
pub mod checker;
pub mod claimer;
pub mod janitor;
pub mod late;
pub mod leases;
pub mod persister;
pub mod publisher;
mod renewal;
pub mod scheduler;
mod storing;
pub mod surveyor;
pub mod tally;
pub mod tray;

use actix::Message;

/// An order: take no new work, finish what there is, and answer when there is none.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Drain;
