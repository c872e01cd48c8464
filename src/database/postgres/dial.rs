//! A stream to one server: a name is resolved and its addresses are tried in turn, or the socket in a folder is opened.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::timeout;

use crate::postgres_url::{Host, Place};

/// A stream of either kind.
pub(super) enum Wire {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Unix(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, piece: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, piece),
            Self::Unix(stream) => Pin::new(stream).poll_write(context, piece),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Unix(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// Idle connections are tried out by the system after this time.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);

/// And so often again.
const KEEPALIVE_EVERY: Duration = Duration::from_secs(5);

/// As many tries without an answer end them.
const KEEPALIVE_TRIES: u32 = 3;

/// Data that nobody acknowledges for so long ends a connection.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Why there is no stream, in words for people.
pub(super) type Failure = String;

/// Reaches `host` within `limit`, which its addresses share.
pub(super) async fn dial(host: &Host, limit: Duration) -> Result<Wire, Failure> {
    match &host.place {
        Place::Unix(folder) => unix(folder, host.port, limit).await,
        Place::Tcp(name) => {
            let addresses = match host.address {
                Some(ip) => vec![SocketAddr::new(ip, host.port)],
                None => resolve(name, host.port, limit).await?,
            };
            any_of(&addresses, limit).await
        }
    }
}

async fn unix(folder: &Path, port: u16, limit: Duration) -> Result<Wire, Failure> {
    let path = folder.join(format!(".s.PGSQL.{port}"));
    match timeout(limit, UnixStream::connect(&path)).await {
        Ok(Ok(stream)) => Ok(Wire::Unix(stream)),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(
            "there is no such socket; is the server running, with this folder in unix_socket_directories?"
                .to_owned(),
        ),
        Ok(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(format!("this user may not use the socket: {error}"))
        }
        Ok(Err(error)) => Err(in_words(&error)),
        Err(_) => Err(no_answer(limit)),
    }
}

async fn resolve(name: &str, port: u16, limit: Duration) -> Result<Vec<SocketAddr>, Failure> {
    match timeout(limit, lookup_host((name, port))).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(format!("the host name does not resolve: {error}")),
        Err(_) => Err(format!("the host name does not resolve within {limit:?}")),
    }
}

/// The first that answers, or why the last one does not.
async fn any_of(addresses: &[SocketAddr], limit: Duration) -> Result<Wire, Failure> {
    let share = limit / u32::try_from(addresses.len()).unwrap_or(1).max(1);
    let mut failure = "the host name has no address".to_owned();
    for address in addresses {
        match timeout(share, tcp(*address)).await {
            Ok(Ok(stream)) => return Ok(Wire::Tcp(stream)),
            Ok(Err(error)) => failure = in_words(&error),
            Err(_) => failure = no_answer(share),
        }
    }
    Err(failure)
}

async fn tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_EVERY)
        .with_retries(KEEPALIVE_TRIES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(stream)
}

fn no_answer(limit: Duration) -> Failure {
    format!("no answer within {limit:?}")
}

/// What a connection came to, by the kind of the error and not by its text.
pub(super) fn in_words(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused; is the server running there?".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            "it closed the connection at once; it may be starting, or be no PostgreSQL".to_owned()
        }
        io::ErrorKind::TimedOut => "no answer".to_owned(),
        _ => error.to_string(),
    }
}
