//! One HTTP check, from a URL to an [`Outcome`].
//!
//! ```text
//! Probe::check ─ tries ─▶ hops ─▶ awc ─▶ connector: dns ▶ guard ▶ dial ▶ tls ─▶ wire: our request, the answer by RFC 9112
//!      │                                                                         │
//!      └─ verdict ◀─ expectations ◀─ trace: what is known so far, also when the timeout cuts in
//! ```
//!
//! awc runs the exchange; everything below it is ours, because a monitor must time every phase, judge every address before it
//! connects, keep the certificate of a handshake that failed, and take nothing for an answer that is none (ADR 11, ADR 19).
//! Nothing is pooled: a check tests a new connection. What a site says is compiled once, into a plan.

mod check;
mod connector;
mod dial;
mod dns;
mod evidence;
mod expect;
mod failure;
mod guard;
mod http;
mod kind;
mod mask;
mod outcome;
mod place;
mod plan;
mod plans;
mod settings;
mod tls;
mod trace;
mod transport;
mod verdict;

pub use check::Probe;
pub use dns::NameFiles;
pub(crate) use expect::escaped;
pub use guard::{Guard, GuardError};
pub use outcome::{Judged, Outcome, Slot};
pub use settings::{ProbeConfig, ProbeError, ProbeSettings};
