//! The connection that awc reads and writes. It notes when the answer begins and how the connection ends, for awc tells
//! the first not at all and the second in a type that it keeps to itself.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_rt::net::{ActixStream, Ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::failure::Failure;
use super::tls;
use super::trace::Trace;
use crate::model::Reason;

/// A connection on behalf of one try.
pub(super) struct Stream {
    transport: Transport,
    trace: Rc<Trace>,
}

/// TLS is done by us, below awc, which therefore sees plain `http` always.
pub(super) enum Transport {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    pub(super) fn new(transport: Transport, trace: Rc<Trace>) -> Self {
        Self { transport, trace }
    }

    fn tcp(&self) -> &TcpStream {
        match &self.transport {
            Transport::Tcp(tcp) => tcp,
            Transport::Tls(tls) => tls.get_ref().0,
        }
    }
}

/// Counts only if awc finds the answer incomplete.
fn closed(trace: &Trace) -> Failure {
    Failure::new(Reason::Connect, format!("{} closed the connection before a whole answer", trace.peer()))
}

fn lost(error: &io::Error, trace: &Trace) -> Failure {
    let peer = trace.peer();
    if let Some(error) = tls::explain_io(error, &peer) {
        return Failure::new(Reason::Tls, error);
    }
    match error.kind() {
        // TLS was not closed as it should be, but closed it is.
        io::ErrorKind::UnexpectedEof => closed(trace),
        io::ErrorKind::ConnectionReset => {
            Failure::new(Reason::Connect, format!("connection reset by {peer}"))
        }
        _ => Failure::new(Reason::Connect, format!("connection to {peer} lost: {error}")),
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        let polled = match &mut this.transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Transport::Tls(tls) => Pin::new(tls.as_mut()).poll_read(cx, buf),
        };
        match &polled {
            Poll::Ready(Ok(())) if buf.filled().len() > before => this.trace.answering(),
            Poll::Ready(Ok(())) => this.trace.fail(closed(&this.trace)),
            Poll::Ready(Err(error)) => this.trace.fail(lost(error, &this.trace)),
            Poll::Pending => {}
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Transport::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Transport::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().transport {
            Transport::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Transport::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}

impl ActixStream for Stream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(self.tcp(), cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(self.tcp(), cx)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("tcp", self.tcp()).finish_non_exhaustive()
    }
}
