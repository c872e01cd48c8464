//! HTTP/1 through awc. This is the only file that knows awc.
//!
//! awc runs request and answer against each other, hands the body on with backpressure, and closes the connection. What it reads by
//! itself cannot be relied on: it takes `103` for the answer, truncated bodies for whole ones and bodies that end with the connection
//! for empty ones (ADR 19). So it gets to see neither. What it writes is dropped in favour of our request, and what it reads is a
//! bare status line, the body without its framing, and the end of the stream exactly where the body ends. Head and failures go
//! past it, in what the connection and its [`Conversation`] share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::future::{Ready, poll_fn, ready};
use std::io::{self, Write as _};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{self, Context, Poll};
use std::time::Duration;

use actix_rt::net::ActixStream;
use actix_service::Service;
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::error::SendRequestError;
use awc::http::Uri;
use awc::{ClientResponse, SendClientRequest};
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::exchange::Exchange;
use crate::model::Reason;
use crate::probe::failure::Failure;
use crate::probe::head::Head;
use crate::probe::http::request::Request;
use crate::probe::trace::Trace;
use crate::probe::transport::Transport;

/// awc insists on a time limit for connecting. Ours is the timeout of the try, so this one must never be reached.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Makes the conversations of a thread. Clones are cheap.
#[derive(Clone)]
pub(super) struct Client {
    awc: awc::Client,
    handed: Handed,
    conversations: Rc<Cell<u64>>,
}

/// Connections that awc has not yet taken, by the number that stands for a host in what it is told to request.
type Handed = Rc<RefCell<HashMap<u64, Stream>>>;

/// One request and its answer, on a connection of their own.
pub(super) struct Conversation {
    shared: Rc<RefCell<Shared>>,
    stage: Stage,
    _ticket: Ticket,
}

enum Stage {
    Asked(SendClientRequest),
    Answering(ClientResponse),
    Over,
}

/// A place in [`Handed`], which a conversation must not leave behind when a timeout ends it before awc has looked.
struct Ticket {
    number: u64,
    handed: Handed,
}

/// What a conversation has in common with the connection that awc holds.
struct Shared {
    exchange: Exchange,
    /// The final head has come.
    is_headed: bool,
    head: Option<Head>,
    /// What awc is to see before the body.
    shown: Vec<u8>,
    /// Why the connection is of no use. awc would hand that on as an opaque error.
    failure: Option<Failure>,
}

impl Client {
    /// A client that adds nothing of its own: no pool, no redirects, no timeouts, no limit on connections.
    pub(super) fn new() -> Self {
        let handed = Handed::default();
        // The default limit of 100 connections would let checks wait for each other inside their timeouts.
        let connector =
            awc::Connector::new().connector(Connector(Rc::clone(&handed))).timeout(NEVER).limit(0);
        let awc = awc::Client::builder()
            .connector(connector)
            .disable_redirects()
            .disable_timeout()
            .no_default_headers()
            .finish();
        Self { awc, handed, conversations: Rc::default() }
    }

    /// Sends as much of `request` as the connection takes. The rest follows while the answer is waited for.
    pub(super) async fn send(
        &self,
        transport: Transport,
        request: &Request<'_>,
        trace: &Rc<Trace>,
    ) -> Conversation {
        let exchange = Exchange::new(transport, request, Rc::clone(trace));
        let shared = Rc::new(RefCell::new(Shared::new(exchange)));
        poll_fn(|cx| {
            shared.borrow_mut().exchange.poll_send(cx);
            Poll::Ready(())
        })
        .await;
        let ticket = self.hand(Stream(Rc::clone(&shared)));
        // Of the request, awc has to know which connection it is for and whether the answer has a body.
        let uri = format!("http://{}/", ticket.number);
        let asked = if request.is_head() { self.awc.head(uri) } else { self.awc.get(uri) };
        let asked = asked.no_decompress().force_close().send();
        Conversation { shared, stage: Stage::Asked(asked), _ticket: ticket }
    }

    fn hand(&self, stream: Stream) -> Ticket {
        let number = self.conversations.get();
        self.conversations.set(number.wrapping_add(1));
        self.handed.borrow_mut().insert(number, stream);
        Ticket { number, handed: Rc::clone(&self.handed) }
    }
}

impl Conversation {
    /// Waits for the final head.
    pub(super) async fn head(&mut self) -> Result<Head, Failure> {
        let Stage::Asked(asked) = &mut self.stage else {
            return Err(Failure::internal("a head was asked for twice"));
        };
        match asked.await {
            Ok(answer) => self.stage = Stage::Answering(answer),
            Err(error) => return Err(self.failure().unwrap_or_else(|| unexpected(&error))),
        }
        let head = self.shared.borrow_mut().head.take();
        head.ok_or_else(|| Failure::internal("an answer without a head"))
    }

    /// The next piece of the body, without its framing. `None`: it is over.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        let Stage::Answering(answer) = &mut self.stage else { return Ok(None) };
        match answer.next().await {
            Some(Ok(piece)) => return Ok(Some(piece)),
            Some(Err(error)) => {
                let broken = || Failure::new(Reason::Protocol, format!("the body is broken: {error}"));
                return Err(self.failure().unwrap_or_else(broken));
            }
            None => self.stage = Stage::Over,
        }
        Ok(None)
    }

    fn failure(&self) -> Option<Failure> {
        self.shared.borrow_mut().failure.take()
    }
}

/// Every failure of a connection is known to the conversation, so this is one of awc itself.
fn unexpected(error: &SendRequestError) -> Failure {
    Failure::internal(format!("the request could not be made: {error}"))
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let left = self.handed.borrow_mut().remove(&self.number);
        drop(left);
    }
}

/// Gives awc the connection that its request is for.
#[derive(Clone)]
struct Connector(Handed);

impl Service<ConnectInfo<Uri>> for Connector {
    type Response = Connection<Uri, Stream>;
    type Error = ConnectError;
    type Future = Ready<Result<Self::Response, ConnectError>>;

    actix_service::always_ready!();

    fn call(&self, info: ConnectInfo<Uri>) -> Self::Future {
        let uri = info.request().clone();
        let number = uri.host().and_then(|host| host.parse().ok());
        let stream = number.and_then(|number: u64| self.0.borrow_mut().remove(&number));
        ready(stream.map(|stream| Connection::new(uri, stream)).ok_or(ConnectError::Unresolved))
    }
}

impl Shared {
    fn new(exchange: Exchange) -> Self {
        Self { exchange, is_headed: false, head: None, shown: Vec::new(), failure: None }
    }

    /// The status line in that version in which awc reads to the end of the stream (`HTTP/1.0`), or to which nothing follows. No header:
    /// awc needs none.
    fn show(&mut self, head: Head) {
        self.is_headed = true;
        let minor = u8::from(self.exchange.is_over());
        let _ = write!(self.shown, "HTTP/1.{minor} {}\r\n\r\n", head.status);
        self.head = Some(head);
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<Result<(), Failure>> {
        if !self.is_headed {
            let head = task::ready!(self.exchange.poll_head(cx))?;
            self.show(head);
        }
        if self.shown.is_empty() {
            return self.exchange.poll_body(cx, out);
        }
        let count = out.remaining().min(self.shown.len());
        out.put_slice(&self.shown[..count]);
        self.shown.drain(..count);
        Poll::Ready(Ok(()))
    }
}

/// The connection that awc reads and writes.
struct Stream(Rc<RefCell<Shared>>);

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut shared = self.0.borrow_mut();
        shared.poll_answer(cx, out).map_err(|failure| {
            shared.failure = Some(failure);
            io::Error::other("the conversation has the failure")
        })
    }
}

/// What awc writes is its own idea of the request. It goes nowhere; ours goes instead, in step with it.
impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().exchange.poll_send(cx);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().exchange.poll_shutdown(cx)
    }
}

impl ActixStream for Stream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<actix_rt::net::Ready>> {
        ActixStream::poll_read_ready(self.0.borrow().exchange.tcp(), cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<actix_rt::net::Ready>> {
        ActixStream::poll_write_ready(self.0.borrow().exchange.tcp(), cx)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}
