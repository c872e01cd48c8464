//! The connection as h2 reads and writes it, and what h2 does not hand on of it.

use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::fault::{self, Stage};
use super::{AT_ONCE, WINDOW};
use crate::model::Reason;
use crate::probe::failure::Failure;
use crate::probe::trace::Trace;
use crate::probe::transport::{self, Transport};

/// How HTTP/1 answers begin.
const HTTP1: &[u8; 5] = b"HTTP/";

/// Bytes that may come beyond those of the body: what is sent ahead, heads, and frames of the connection.
const FREE: u64 = 2 * WINDOW as u64;

/// Bytes for each byte of body: a frame for each of them is allowed, and then some.
const PER_BYTE: u64 = 16;

/// A connection for h2.
pub(super) struct Line {
    transport: Transport,
    watch: Rc<Watch>,
}

/// What is known of a connection.
pub(super) struct Watch {
    trace: Rc<Trace>,
    /// Bytes that may be read before [`Watch::allow_more`].
    allowed: Cell<usize>,
    came: Cell<u64>,
    /// Of the body.
    handed: Cell<u64>,
    beginning: Cell<[u8; HTTP1.len()]>,
    /// The other side has closed it.
    ended: Cell<bool>,
    /// Why no more can be read.
    broken: RefCell<Option<Failure>>,
    /// Why no more can be sent. A server that has heard enough may answer all the same.
    unsent: RefCell<Option<Failure>>,
}

impl Line {
    pub(super) fn new(transport: Transport, watch: Rc<Watch>) -> Self {
        Self { transport, watch }
    }

    /// Counts bytes that could not be sent as sent: only an answer, or the want of one, tells what that means.
    fn unsent(&self, error: &io::Error) {
        let failure = self.lost(error);
        self.watch.unsent.borrow_mut().get_or_insert(failure);
    }

    fn lost(&self, error: &io::Error) -> Failure {
        self.transport.lost(error, &self.watch.trace.peer())
    }
}

impl Watch {
    pub(super) fn new(trace: Rc<Trace>) -> Self {
        Self {
            trace,
            allowed: Cell::new(AT_ONCE),
            came: Cell::default(),
            handed: Cell::default(),
            beginning: Cell::default(),
            ended: Cell::default(),
            broken: RefCell::default(),
            unsent: RefCell::default(),
        }
    }

    /// So many bytes more may be read.
    pub(super) fn allow_more(&self) {
        self.allowed.set(AT_ONCE);
    }

    /// A piece of the body has been handed on.
    pub(super) fn handed(&self, bytes: usize) {
        self.handed.set(self.handed.get() + bytes as u64);
    }

    /// What `error`, which h2 gave in the course of `stage`, means.
    pub(super) fn failure(&self, error: &h2::Error, stage: Stage) -> Failure {
        let peer = self.trace.peer();
        if let Some(broken) = self.broken.borrow().as_ref() {
            return fault::broken(broken, stage);
        }
        if self.beginning.get() == *HTTP1 {
            let error = format!("{peer} chose HTTP/2 in the TLS handshake, and answers in HTTP/1");
            return Failure::new(Reason::Protocol, error);
        }
        match self.unsent.borrow().as_ref() {
            Some(unsent) if stage == Stage::Head && error.is_io() => unsent.clone(),
            _ => fault::explain(error, stage, self.ended.get(), self.came.get(), &peer),
        }
    }

    /// Bytes have come. Frames that belong to no answer must not come without end.
    fn came(&self, bytes: &[u8]) -> io::Result<()> {
        self.trace.received(bytes.len());
        self.allowed.set(self.allowed.get().saturating_sub(bytes.len()));
        let before = self.came.get();
        if before < HTTP1.len() as u64 {
            let mut beginning = self.beginning.get();
            let rest = beginning.iter_mut().skip(usize::try_from(before).unwrap_or_default());
            rest.zip(bytes).for_each(|(slot, byte)| *slot = *byte);
            self.beginning.set(beginning);
        }
        self.came.set(before + bytes.len() as u64);
        if self.came.get() <= FREE + PER_BYTE * self.handed.get() {
            return Ok(());
        }
        let error =
            format!("{} floods the connection with frames that are no part of an answer", self.trace.peer());
        Err(self.breaks(Failure::new(Reason::Protocol, error)))
    }

    /// Leaves the failure for when h2 tells of it, which forgets all but its kind.
    fn breaks(&self, failure: Failure) -> io::Error {
        *self.broken.borrow_mut() = Some(failure);
        io::Error::other("the watch has the failure")
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.watch.allowed.get() == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let room = this.watch.allowed.get().min(out.remaining());
        let mut part = ReadBuf::new(out.initialize_unfilled_to(room));
        match ready!(this.transport.poll_read(cx, &mut part)) {
            Ok(()) => {}
            Err(error) if transport::is_end(&error) => {}
            Err(error) => return Poll::Ready(Err(this.watch.breaks(this.lost(&error)))),
        }
        let came = part.filled();
        if came.is_empty() && room > 0 {
            this.watch.ended.set(true);
        }
        let (count, passes) = (came.len(), this.watch.came(came));
        out.advance(count);
        Poll::Ready(passes)
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.watch.unsent.borrow().is_some() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = ready!(this.transport.poll_write(cx, bytes));
        Poll::Ready(written.or_else(|error| {
            this.unsent(&error);
            Ok(bytes.len())
        }))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Err(error) = ready!(this.transport.poll_flush(cx)) {
            this.unsent(&error);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().transport.poll_shutdown(cx)
    }
}
