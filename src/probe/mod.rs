//! One HTTP check, from a URL to an [`Outcome`].
//!
//! ```text
//! Probe::check ─ tries ─▶ hops ─▶ awc ─▶ connector: dns ▶ guard ▶ dial ▶ tls ─▶ stream
//!      └──────────── trace: what is known so far, kept when the timeout cuts in ◀─┘
//! ```
//!
//! awc speaks HTTP; everything below it is ours, because a monitor must time every phase, judge every address before it
//! connects, and keep the certificate of a handshake that failed. Nothing is pooled: a check tests a new connection.
//!
//! awc panics on a response header whose name is longer than 65,535 bytes. Run each check as a task of its own.

mod check;
mod client;
mod connector;
mod decode;
mod dial;
mod dns;
mod evidence;
mod expect;
mod failure;
mod guard;
mod mask;
mod outcome;
mod plan;
mod redirect;
mod request;
mod settings;
mod tls;
mod trace;
mod verdict;
mod wire;

pub use check::Probe;
pub(crate) use expect::escaped;
pub use guard::{Guard, GuardError};
pub use outcome::{Judged, Outcome, Slot};
pub use settings::{ProbeConfig, ProbeError, ProbeSettings};
