//! A request and its answer on a connection of their own, in three steps: `send`, `head`, and `piece` for as long as there is body.
//! What goes wrong is the value that a step returns.
//!
//! HTTP/1 is [`exchange`]: the request goes out as we wrote it, and the answer is read as RFC 9112 frames it, by [`answer`],
//! which has no I/O and so can be tested with every split of every answer. [`awc`] drives it. HTTP/2 is [`http2`], where the
//! server has chosen it in the TLS handshake (ALPN).

mod answer;
mod awc;
#[cfg(test)]
mod cases;
mod chunks;
mod error;
mod exchange;
mod framing;
mod head;
mod http2;
mod mend;

use std::rc::Rc;

use bytes::Bytes;

use super::request::Request;
use crate::probe::failure::Failure;
use crate::probe::head::Head;
use crate::probe::trace::Trace;
use crate::probe::transport::Transport;

/// Makes the conversations of a thread. Clones are cheap.
#[derive(Clone)]
pub(super) struct Client {
    http1: self::awc::Client,
}

/// A request that is sent, and the answer to it.
pub(super) struct Conversation(Spoken);

/// The versions of HTTP.
enum Spoken {
    Http1(self::awc::Conversation),
    /// In a box, for it would make every check larger.
    Http2(Box<http2::Conversation>),
}

impl Client {
    pub(super) fn new() -> Self {
        Self { http1: self::awc::Client::new() }
    }

    /// Sends `request` over `transport`, in the version of HTTP that its server has chosen. The answer may come before all of it is sent.
    pub(super) async fn send(
        &self,
        transport: Transport,
        request: &Request<'_>,
        trace: &Rc<Trace>,
    ) -> Result<Conversation, Failure> {
        if transport.speaks_http2() {
            let conversation = Box::pin(http2::send(transport, request, trace)).await?;
            return Ok(Conversation(Spoken::Http2(Box::new(conversation))));
        }
        Ok(Conversation(Spoken::Http1(self.http1.send(transport, request, trace).await)))
    }
}

impl Conversation {
    /// Waits for the head of the answer, past interim ones.
    pub(super) async fn head(&mut self) -> Result<Head, Failure> {
        match &mut self.0 {
            Spoken::Http1(conversation) => conversation.head().await,
            Spoken::Http2(conversation) => conversation.head().await,
        }
    }

    /// The next piece of the body, as the server sent it but for the framing. `None`: it is over, and came whole.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        match &mut self.0 {
            Spoken::Http1(conversation) => conversation.piece().await,
            Spoken::Http2(conversation) => conversation.piece().await,
        }
    }
}
