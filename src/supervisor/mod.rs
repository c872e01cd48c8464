//! Keeps actors running: each child has a thread of its own, and is started anew when it ends, whatever ended it.
//!
//! The actor library's own supervisor restarts an actor only after an orderly stop; a panic makes the actor
//! vanish. This one is built on the same contexts and threads, and holds the task that runs them.
//!
//! | File | |
//! |---|---|
//! | `running.rs` | [`Supervisor`], which is told of the children, and [`Running`], which is asked about them |
//! | `handle.rs` | [`Handle`]: how others address a child across its restarts |
//! | `life.rs` | [`Life`]: what a child knows of itself, and how it spawns, reports and fails |
//! | `policy.rs` | [`Policy`]: every limit and pause |
//! | `report.rs` | [`Cause`], [`Ending`], [`ChildStatus`]: what is told to people and counters |
//! | `fault.rs` | [`Fault`]: faults to inject, in a drill |
//! | `tree.rs` | the supervising actor: who is restarted, and when it gives up |
//! | `child.rs`, `history.rs` | one child across its incarnations, and its failures |
//! | `incarnation.rs` | one life of one child, on its own thread, from the factory to the farewell |
//! | `pulse.rs` | signs of life, and what their absence means |
//!
//! # The contract
//! - **One for one.** A child that ends is made anew by its factory; its siblings don't notice.
//! - **Whatever ended it.** A stop, an error, a panic in the actor or in a future of [`Life::spawn`], a dead thread,
//!   no sign of life, or no progress although there is work: see [`Cause`].
//! - **No overlap.** The next incarnation starts when the actor and the spawned futures of the last one are gone. There
//!   are two exceptions, where nobody can wait: a hung child, and a child whose thread is lost. Generations tell incarnations
//!   apart, and an old one can no longer be addressed through a [`Handle`].
//! - **Mailboxes are lost.** What an incarnation had not answered, its senders learn as [`Unavailable`]. Whatever must
//!   survive has to live elsewhere.
//! - **A blocked thread cannot be killed.** It is left behind, counted as a zombie until it wakes up and ends.
//! - **It gives up.** Too many restarts, or too many zombies, and [`Running::ended`] says so. From then on nothing is
//!   restarted. What still runs keeps running until it is stopped.
//! - **Nothing is left behind.** When [`Running`] is dropped, or the supervisor itself dies, every child ends.

mod child;
mod fault;
mod handle;
mod history;
mod incarnation;
mod life;
mod policy;
mod pulse;
mod report;
mod running;
mod tree;

pub use fault::Fault;
pub use handle::{Handle, Unavailable};
pub use life::Life;
pub use policy::Policy;
pub use report::{Cause, ChildStatus, Ending, Hang};
pub use running::{Board, Running, Supervisor};
