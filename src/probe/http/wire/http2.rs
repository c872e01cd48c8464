//! HTTP/2 (RFC 9113) over the crate h2: one connection, one stream on it.
//!
//! h2 frames, decodes headers and keeps windows; it is driven from inside of [`Conversation`]'s own futures, so that a timeout that drops
//! them drops the connection. What it would take for good, and a monitor must not, is judged here: heads that are too large,
//! any number of interim heads, floods of frames that belong to no answer.

mod ask;
mod fault;
mod line;

use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, Connection, ResponseFuture};
use http::response::Parts;
use http::{HeaderName, HeaderValue, StatusCode};

use self::fault::{Stage, Told};
use self::line::{Line, Watch};
use super::error::WireError;
use super::head::{MAX_FIELDS, MAX_HEAD};
use crate::model::settings::HttpVersion;
use crate::probe::failure::Failure;
use crate::probe::head::{Field, Head};
use crate::probe::http::request::Request;
use crate::probe::trace::Trace;
use crate::probe::transport::Transport;

/// Bytes of body that a server may send ahead of us: the default of `checker.body_limit`, so that a page is sent in one go.
const WINDOW: u32 = 1024 * 1024;

/// Bytes that h2 may read before the body is taken from it. A connection that goes on for as long as bytes come would fill the whole
/// window first, and h2 ends one on which more than some two thousand small frames of a body wait.
const AT_ONCE: usize = 16 * 1024;

/// Bytes of a decoded head that h2 keeps. More than [`MAX_HEAD`], so that a head that is too large is told from a broken one, and so
/// little that a small head which decodes to a large one ends soon. From here to four times as much h2 tells the two apart no more.
const HEADER_LIST: u32 = 4 * MAX_HEAD as u32;

/// One request and its answer, on a connection of their own.
pub(super) struct Conversation {
    /// `None` once it is closed.
    connection: Option<Connection<Line, Bytes>>,
    /// What closed it, where that was no plain end. A stream that was begun learns only that there is nothing more.
    ending: Option<h2::Error>,
    watch: Rc<Watch>,
    trace: Rc<Trace>,
    /// Until the final head is there.
    response: Option<ResponseFuture>,
    /// What the request makes of the answer: none to HEAD has a body.
    is_head: bool,
    /// Bytes of the heads so far, interim ones included.
    head_bytes: usize,
    body: Option<Body>,
}

/// A body on its way.
struct Body {
    stream: RecvStream,
    got: u64,
    /// What `content-length` says.
    want: Option<u64>,
}

/// Sends `request` over `transport`. A body goes out as far as the server's windows let it, while the answer is waited for.
pub(super) async fn send(
    transport: Transport,
    request: &Request<'_>,
    trace: &Rc<Trace>,
) -> Result<Conversation, Failure> {
    let head = ask::head(request)?;
    let body = request.body();
    let watch = Rc::new(Watch::new(Rc::clone(trace)));
    let line = Line::new(transport, Rc::clone(&watch));
    let shaken = builder().handshake(line).await;
    let (mut sender, connection) = shaken.map_err(|error| watch.failure(&error, Stage::Head))?;
    let sent = sender.send_request(head, body.is_empty());
    let (response, mut stream) = sent.map_err(|error| watch.failure(&error, Stage::Head))?;
    if !body.is_empty() {
        // h2 keeps what the windows do not take yet. It is a body of ours, so it is bounded.
        stream.send_data(body, true).map_err(|error| watch.failure(&error, Stage::Head))?;
    }
    let (trace, is_head) = (Rc::clone(trace), request.is_head());
    let connection = Some(connection);
    let response = Some(response);
    Ok(Conversation { connection, ending: None, watch, trace, response, is_head, head_bytes: 0, body: None })
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_header_list_size(HEADER_LIST);
    builder
}

impl Conversation {
    /// Waits for the final head.
    pub(super) async fn head(&mut self) -> Result<Head, Failure> {
        let response = poll_fn(|cx| self.poll_head(cx)).await?;
        self.response = None;
        let (parts, stream) = response.into_parts();
        self.count_head(&parts)?;
        let head = head_of(&parts);
        let has_body = !self.is_head && !matches!(head.status, 204 | 304);
        let want = head
            .values("content-length")
            .next()
            .and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        self.body = has_body.then_some(Body { stream, got: 0, want });
        Ok(head)
    }

    /// The next piece of the body. `None`: it is over. Trailers are passed over.
    pub(super) async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        poll_fn(|cx| self.poll_piece(cx)).await
    }

    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<http::Response<RecvStream>, Failure>> {
        self.drive(cx);
        loop {
            let Some(response) = &mut self.response else {
                return Poll::Ready(Err(Failure::internal("a head was asked for twice")));
            };
            let Poll::Ready(Some(interim)) = response.poll_informational(cx) else {
                let response = ready!(Pin::new(response).poll(cx)).map_err(|error| self.failure(&error))?;
                self.trace.answering();
                return Poll::Ready(Ok(response));
            };
            let interim = interim.map_err(|error| self.failure(&error))?;
            self.trace.answering();
            self.interim(&interim.into_parts().0)?;
        }
    }

    /// What h2 holds is taken before more is read: it bears so many small frames that nobody has taken, and no more.
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Failure>> {
        let mut is_driven = false;
        loop {
            let Some(body) = &mut self.body else { return Poll::Ready(Ok(None)) };
            let Poll::Ready(came) = body.stream.poll_data(cx) else {
                if is_driven {
                    return Poll::Pending;
                }
                self.drive(cx);
                is_driven = true;
                continue;
            };
            match came {
                Some(Ok(piece)) if piece.is_empty() => {}
                Some(Ok(piece)) => {
                    body.got += piece.len() as u64;
                    self.watch.handed(piece.len());
                    // The window that this opens again is told to the server with the next poll. An error means that the stream is over.
                    let _ = body.stream.flow_control().release_capacity(piece.len());
                    return Poll::Ready(Ok(Some(piece)));
                }
                Some(Err(error)) => return Poll::Ready(Err(self.failure(&error))),
                // Nothing refers to the stream any more, so h2 sends GOAWAY and close_notify, as far as that goes at once.
                None => {
                    self.body = None;
                    self.drive(cx);
                }
            }
        }
    }

    /// Lets the connection read and write.
    fn drive(&mut self, cx: &mut Context<'_>) {
        self.watch.allow_more();
        if let Some(connection) = &mut self.connection
            && let Poll::Ready(ended) = Pin::new(connection).poll(cx)
        {
            self.connection = None;
            self.ending = ended.err();
        }
    }

    /// Passes over a head before the final one.
    fn interim(&mut self, parts: &Parts) -> Result<(), Failure> {
        if parts.status == StatusCode::SWITCHING_PROTOCOLS {
            return Err(self.fault(WireError::BadHead("status 101, which HTTP/2 does not have")));
        }
        self.count_head(parts)
    }

    /// Notes the size of a head as it would be in HTTP/1, where the same limits hold.
    fn count_head(&mut self, parts: &Parts) -> Result<(), Failure> {
        let lines = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4);
        self.head_bytes += lines.sum::<usize>() + 4;
        match () {
            () if self.head_bytes > MAX_HEAD => Err(self.fault(WireError::HeadTooLarge)),
            () if parts.headers.len() > MAX_FIELDS => Err(self.fault(WireError::TooManyFields)),
            () => Ok(()),
        }
    }

    /// The code of a GOAWAY says more than the end that came after it.
    fn failure(&self, error: &h2::Error) -> Failure {
        let ending = self.ending.as_ref().filter(|ending| error.is_io() && ending.is_remote());
        let error = ending.unwrap_or(error);
        let told = self.body.as_ref().map(|body| Told { got: body.got, want: body.want });
        self.watch.failure(error, told.map_or(Stage::Head, Stage::Body))
    }

    fn fault(&self, fault: WireError) -> Failure {
        fault.failure(&self.trace.peer())
    }
}

fn head_of(parts: &Parts) -> Head {
    let mut text = Vec::with_capacity(512);
    let mut put = |part: &[u8]| {
        let start = text.len();
        text.extend_from_slice(part);
        start..text.len()
    };
    let place = |(name, value): (&HeaderName, &HeaderValue)| Field {
        name: put(name.as_str().as_bytes()),
        value: put(value.as_bytes()),
    };
    let fields = parts.headers.iter().map(place).collect();
    Head::new(parts.status.as_u16(), HttpVersion::V2, text, fields)
}
