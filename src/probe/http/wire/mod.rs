//! HTTP/1 on a connection of our own: the request as we wrote it, and the answer as RFC 9112 frames it.
//!
//! awc sees neither. What it sends is dropped in favour of our request, so that every byte of that is ours; what it reads is
//! a bare status line, the body without its framing, and the end of the stream exactly where the body ends. By itself it
//! takes `103` for the answer, truncated bodies for whole ones and bodies that end with the connection for empty ones, and
//! what it does with unusual heads cannot be relied on (ADR 19). [`answer`] has no I/O, so it can be tested with every split
//! of every answer.

mod answer;
#[cfg(test)]
mod cases;
mod chunks;
mod error;
mod exchange;
mod framing;
mod head;
mod mend;

pub(super) use self::exchange::Exchange;
pub(in crate::probe) use self::head::Head;
