//! The connection that awc reads and writes: our request goes out, and awc sees the answer in a form that it can't misread.

use std::fmt;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_rt::net::{ActixStream, Ready};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::answer::Answer;
use super::error::WireError;
use super::head::Head;
use crate::model::Reason;
use crate::probe::failure::Failure;
use crate::probe::http::Message;
use crate::probe::trace::Trace;
use crate::probe::transport::{self, Transport};

/// Read at once as long as the head is not whole. Most heads are smaller.
const BLOCK: usize = 2048;

/// One request and its answer on a connection of their own.
pub(in crate::probe) struct Exchange {
    transport: Transport,
    trace: Rc<Trace>,
    /// What is still to be sent.
    request: Bytes,
    /// Why no more of it can be sent. A server that has heard enough may answer all the same.
    unsent: Option<io::Error>,
    answer: Answer,
    /// The final head has come.
    headed: bool,
    /// What awc is to see before the body.
    shown: Vec<u8>,
    /// What came with the head, framing and all.
    rest: Vec<u8>,
}

impl Exchange {
    /// Sends `message` over `transport`, whatever awc writes.
    pub(in crate::probe) fn new(transport: Transport, message: Message, trace: Rc<Trace>) -> Self {
        Self {
            transport,
            trace,
            request: message.bytes,
            unsent: None,
            answer: Answer::new(message.is_head),
            headed: false,
            shown: Vec::new(),
            rest: Vec::new(),
        }
    }

    /// Sends as much as the connection takes. Never waits for it: the answer may come first.
    fn poll_send(&mut self, cx: &mut Context<'_>) {
        while !self.request.is_empty() && self.unsent.is_none() {
            match self.transport.poll_write(cx, &self.request) {
                Poll::Ready(Ok(sent)) => drop(self.request.split_to(sent)),
                Poll::Ready(Err(error)) => self.unsent = Some(error),
                Poll::Pending => return,
            }
        }
        if let Poll::Ready(Err(error)) = self.transport.poll_flush(cx) {
            self.unsent.get_or_insert(error);
        }
    }

    /// Reads until the final head is whole.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let mut block = [0; BLOCK];
        while !self.headed {
            if let Some(fault) = self.answer.fault() {
                return Poll::Ready(Err(self.failure(fault)));
            }
            let mut buffer = ReadBuf::new(&mut block);
            let read = ready!(self.transport.poll_read(cx, &mut buffer));
            read.or_else(|error| if transport::is_end(&error) { Ok(()) } else { Err(self.lost(&error)) })?;
            if buffer.filled().is_empty() {
                return Poll::Ready(self.answer.end().map_err(|fault| self.failure(fault)));
            }
            self.trace.answering();
            self.trace.received(buffer.filled().len());
            let head = self.answer.head(buffer.filled()).map_err(|fault| self.failure(fault))?;
            if let Some(head) = head {
                self.rest = self.answer.rest();
                self.show(head);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// The version in which awc reads to the end of the stream, or to which nothing follows. No header: awc needs none.
    fn show(&mut self, head: Head) {
        self.headed = true;
        let minor = u8::from(self.answer.is_done());
        let _ = write!(self.shown, "HTTP/1.{minor} {}\r\n\r\n", head.status);
        self.trace.answered(head);
    }

    /// Reads body into `out` until there is some, or the answer ends.
    fn poll_body(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<Result<(), Failure>> {
        while !self.answer.is_done() && out.remaining() > 0 {
            if let Some(fault) = self.answer.fault() {
                return Poll::Ready(Err(self.failure(fault)));
            }
            let before = out.filled().len();
            if self.rest.is_empty() {
                let read = ready!(self.transport.poll_read(cx, out));
                if let Err(error) = read {
                    return Poll::Ready(self.broke(&error));
                }
                self.trace.received(out.filled().len() - before);
            } else {
                let count = out.remaining().min(self.rest.len());
                out.put_slice(&self.rest[..count]);
                self.rest.drain(..count);
            }
            if out.filled().len() == before {
                return Poll::Ready(self.answer.end().map_err(|fault| self.failure(fault)));
            }
            let kept = self.answer.body(&mut out.filled_mut()[before..]);
            out.set_filled(before + kept);
            if kept > 0 {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }

    /// An end is an end, with close_notify or without. That matters to a body with a length or with chunks, which is cut then; one
    /// that ends with the connection is taken for whole, as browsers do.
    fn broke(&mut self, error: &io::Error) -> Result<(), Failure> {
        if !transport::is_end(error) {
            let lost = self.lost(error).error;
            return Err(Failure::new(Reason::Protocol, format!("the body is broken: {lost}")));
        }
        self.answer.end().map_err(|fault| self.failure(fault))
    }

    fn failure(&self, fault: WireError) -> Failure {
        match &self.unsent {
            // The cause of a silence, if that is what it is.
            Some(error) if fault == WireError::NoAnswer => self.lost(error),
            _ => fault.failure(&self.trace.peer()),
        }
    }

    fn lost(&self, error: &io::Error) -> Failure {
        self.transport.lost(error, &self.trace.peer())
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<Result<(), Failure>> {
        self.poll_send(cx);
        ready!(self.poll_head(cx))?;
        if self.shown.is_empty() {
            return self.poll_body(cx, out);
        }
        let count = out.remaining().min(self.shown.len());
        out.put_slice(&self.shown[..count]);
        self.shown.drain(..count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Exchange {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // awc keeps the type of an error to itself, so the trace carries it around awc.
        this.poll_answer(cx, out).map_err(|failure| {
            this.trace.fail(failure);
            io::Error::other("see the trace")
        })
    }
}

/// What awc writes is its own idea of the request. It goes nowhere; ours goes instead, in step with it.
impl AsyncWrite for Exchange {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_send(cx);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().transport.poll_shutdown(cx)
    }
}

impl ActixStream for Exchange {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(self.transport.tcp(), cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(self.transport.tcp(), cx)
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("tcp", self.transport.tcp()).finish_non_exhaustive()
    }
}
