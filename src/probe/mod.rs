//! One check, from a URL to an [`Outcome`].
//!
//! ```text
//! Probe::check ─ tries ─▶ kind ─┬▶ http: hops ─┬▶ connector: dns ▶ guard ▶ dial ▶ tls ─▶ the server
//!      │                        └▶ tcp ────────┘    then over that connection, http: wire, or tcp: conversation
//!      └─ verdict ◀─ expectations ◀─ trace: what is known so far, also when the timeout cuts in
//! ```
//!
//! Here is the frame, which is the same for every kind of check (ADR 32); `http` and `tcp` are the kinds. A monitor must time every
//! phase, judge every address before it connects, and keep the certificate of a handshake that failed, so all of this is ours
//! (ADR 11). Nothing is pooled: a check tests a new connection. What a site says is compiled once, into a plan.

mod check;
mod connector;
mod dial;
mod dns;
mod evidence;
mod expect;
mod failure;
mod guard;
mod head;
mod http;
mod kind;
mod kinds;
mod mask;
mod notes;
mod order;
mod outcome;
mod place;
mod plan;
mod plan_error;
mod plans;
mod settings;
mod stopwatch;
mod tcp;
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
