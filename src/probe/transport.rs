//! A connection, with TLS or without.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustls::ProtocolVersion;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::failure::Failure;
use super::tls;
use crate::model::Reason;

/// A connection with or without TLS. Its user reads and writes clear text.
pub(super) enum Transport {
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Transport {
    pub(super) fn tcp(&self) -> &TcpStream {
        match self {
            Self::Tcp(tcp) => tcp,
            Self::Tls(tls) => tls.get_ref().0,
        }
    }

    /// `None` without TLS.
    pub(super) fn tls_version(&self) -> Option<ProtocolVersion> {
        match self {
            Self::Tcp(_) => None,
            Self::Tls(tls) => tls.get_ref().1.protocol_version(),
        }
    }

    /// Whether the server has chosen HTTP/2 in the handshake.
    pub(super) fn speaks_http2(&self) -> bool {
        match self {
            Self::Tcp(_) => false,
            Self::Tls(tls) => tls.get_ref().1.alpn_protocol() == Some(tls::HTTP2),
        }
    }

    /// Whether the server may refuse us though the handshake is over for us.
    pub(super) fn may_be_refused(&self) -> bool {
        self.tls_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Whether the server has sent a ticket, which it does when the handshake is over for it, too.
    pub(super) fn has_ticket(&self) -> bool {
        match self {
            Self::Tcp(_) => false,
            Self::Tls(tls) => tls.get_ref().1.tls13_tickets_received() > 0,
        }
    }

    /// Why nothing more can be read from `peer`, or sent to it.
    pub(super) fn lost(&self, error: &io::Error, peer: &str) -> Failure {
        if let Some(error) = tls::explain_io(error, peer, self.tls_version()) {
            return Failure::new(Reason::Tls, error);
        }
        let error = match error.kind() {
            io::ErrorKind::ConnectionReset => format!("connection reset by {peer}"),
            io::ErrorKind::BrokenPipe => {
                format!("{peer} closed the connection before it had all that was sent")
            }
            _ => format!("connection to {peer} lost: {error}"),
        };
        Failure::new(Reason::Connect, error)
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Self::Tls(tls) => {
                let read = Pin::new(tls.as_mut()).poll_read(cx, buffer);
                // What was read may want an answer of TLS's own, which tokio-rustls keeps until something is written. Where it
                // cannot be sent, the next read will say why.
                if read.is_pending() && tls.get_ref().1.wants_write() {
                    let _ = Pin::new(tls.as_mut()).poll_flush(cx);
                }
                read
            }
        }
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_write(cx, bytes),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_flush(cx),
        }
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Self::Tls(tls) => Pin::new(tls.as_mut()).poll_shutdown(cx),
        }
    }
}

/// Whether the connection has ended, if without the close_notify that TLS wants, which many servers leave out.
pub(super) fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof && tls::explain_io(error, "", None).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_took_need_not_be_a_request() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let transport = Transport::Tcp(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());

        let failure = transport.lost(&io::ErrorKind::BrokenPipe.into(), "192.0.2.1:1");

        assert_eq!(failure.reason, Reason::Connect);
        assert_eq!(failure.error, "192.0.2.1:1 closed the connection before it had all that was sent");
    }
}
