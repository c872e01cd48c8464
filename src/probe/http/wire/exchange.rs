//! One request and its answer over HTTP/1, on a connection of their own: the request goes out as we wrote it, the answer is
//! framed as RFC 9112 says.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

use super::answer::Answer;
use super::error::WireError;
use crate::model::Reason;
use crate::probe::failure::Failure;
use crate::probe::head::Head;
use crate::probe::http::request::Request;
use crate::probe::trace::Trace;
use crate::probe::transport::{self, Transport};

/// Read at once as long as the head is not whole. Most heads are smaller.
const BLOCK: usize = 2048;

/// A request that is being sent and an answer that is being read.
pub(super) struct Exchange {
    transport: Transport,
    trace: Rc<Trace>,
    /// What is still to be sent.
    request: Bytes,
    /// Why no more of it can be sent. A server that has heard enough may answer all the same.
    unsent: Option<io::Error>,
    answer: Answer,
    /// What came with the head, framing and all.
    rest: Vec<u8>,
}

impl Exchange {
    pub(super) fn new(transport: Transport, request: &Request<'_>, trace: Rc<Trace>) -> Self {
        Self {
            transport,
            trace,
            request: request.bytes(),
            unsent: None,
            answer: Answer::new(request.is_head()),
            rest: Vec::new(),
        }
    }

    /// The body is over, or there is none.
    pub(super) fn is_over(&self) -> bool {
        self.answer.is_done()
    }

    pub(super) fn tcp(&self) -> &TcpStream {
        self.transport.tcp()
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_shutdown(cx)
    }

    /// Sends as much as the connection takes. Never waits for it: the answer may come first.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) {
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
    pub(super) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Failure>> {
        self.poll_send(cx);
        let mut block = [0; BLOCK];
        loop {
            if let Some(fault) = self.answer.fault() {
                return Poll::Ready(Err(self.failure(fault)));
            }
            let mut buffer = ReadBuf::new(&mut block);
            let read = ready!(self.transport.poll_read(cx, &mut buffer));
            read.or_else(|error| if transport::is_end(&error) { Ok(()) } else { Err(self.lost(&error)) })?;
            if buffer.filled().is_empty() {
                let fault = self.answer.end().err().unwrap_or(WireError::HeadCut);
                return Poll::Ready(Err(self.failure(fault)));
            }
            self.trace.answering();
            self.trace.received(buffer.filled().len());
            let head = self.answer.head(buffer.filled()).map_err(|fault| self.failure(fault))?;
            if let Some(head) = head {
                self.rest = self.answer.rest();
                return Poll::Ready(Ok(head));
            }
        }
    }

    /// Reads body into `out` until there is some, or the answer ends.
    pub(super) fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<Result<(), Failure>> {
        self.poll_send(cx);
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
}
