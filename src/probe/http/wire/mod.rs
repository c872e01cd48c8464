//! A request and its answer on a connection of their own, in three steps: `send`, `head`, and `piece` for as long as there is body.
//! What goes wrong is the value that a step returns.
//!
//! HTTP/1 is [`exchange`]: the request goes out as we wrote it, and the answer is read as RFC 9112 frames it, by [`answer`],
//! which has no I/O and so can be tested with every split of every answer. [`awc`] drives it.

mod answer;
mod awc;
#[cfg(test)]
mod cases;
mod chunks;
mod error;
mod exchange;
mod framing;
mod head;
mod mend;

use std::rc::Rc;

use bytes::Bytes;

use super::request::Message;
use crate::probe::failure::Failure;
use crate::probe::head::Head;
use crate::probe::trace::Trace;
use crate::probe::transport::Transport;

/// Makes the conversations of a thread. Clones are cheap.
#[derive(Clone)]
pub(super) struct Client(self::awc::Client);

/// A request that is sent, and the answer to it.
pub(super) struct Conversation(self::awc::Conversation);

impl Client {
    pub(super) fn new() -> Self {
        Self(self::awc::Client::new())
    }

    /// Sends `message` over `transport`. The answer may come before all of it is sent.
    pub(super) async fn send(
        &self,
        transport: Transport,
        message: Message,
        trace: &Rc<Trace>,
    ) -> Result<Conversation, Failure> {
        Ok(Conversation(self.0.send(transport, message, trace).await))
    }
}

impl Conversation {
    /// Waits for the head of the answer, past interim ones.
    pub(super) async fn head(&mut self) -> Result<Head, Failure> {
        self.0.head().await
    }

    /// The next piece of the body, as the server sent it but for the framing. `None`: it is over, and came whole.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        self.0.piece().await
    }
}
