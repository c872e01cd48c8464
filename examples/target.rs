//! A web server for load runs, on 127.0.0.1 only: cheap, single-threaded, one request per connection.
//!
//! `target [--port N] [--tls --ca-out FILE]` prints its port as its first line, then serves
//!
//! - `/` and anything else: 200 with a small body
//! - `/status/NNN`: that status
//! - `/redirect/N`: N hops, then 200
//! - `/slow/MS`: 200 after that many milliseconds
//! - `/hang`: no answer, ever
//! - `/close`: closes before a head
//! - `/drip`: a body of 100 bytes, one every 100 ms
//! - `/count`: how many requests there were, not counting these

#![allow(clippy::print_stdout, reason = "its port is its output")]

use std::cell::Cell;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsAcceptor;

/// Connections that may wait to be accepted. The kernel caps it at net.core.somaxconn.
const BACKLOG: u32 = 16_384;

#[derive(Parser)]
struct Arguments {
    /// 0 for any that is free.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Serve https, with a certificate for localhost and 127.0.0.1 from an authority made up at start.
    #[arg(long, requires = "ca_out")]
    tls: bool,
    /// Where to write that authority's certificate, as PEM.
    #[arg(long)]
    ca_out: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let acceptor = match (&arguments.ca_out, arguments.tls) {
        (Some(path), true) => Some(made_up_identity(path)?),
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(async { listen(arguments.port) })?;
    println!("{}", listener.local_addr()?.port());
    LocalSet::new().block_on(&runtime, accept(listener, acceptor))
}

fn listen(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(([127, 0, 0, 1], port).into())?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>) -> Result<(), Box<dyn Error>> {
    let count = Rc::new(Cell::new(0));
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => {
                spawn_local(welcome(tcp, acceptor.clone(), Rc::clone(&count)));
            }
            // Out of file descriptors: connections that end free some.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

/// What goes wrong with a connection is the client's business.
async fn welcome(tcp: TcpStream, acceptor: Option<TlsAcceptor>, count: Rc<Cell<u64>>) {
    let _ = match acceptor {
        None => serve(tcp, &count).await,
        Some(acceptor) => match acceptor.accept(tcp).await {
            Ok(tls) => serve(tls, &count).await,
            Err(error) => Err(error),
        },
    };
}

async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, count: &Cell<u64>) -> io::Result<()> {
    let mut head = [0; 4096];
    let length = read_head(&mut stream, &mut head).await?;
    let path = head[..length].split(|&byte| byte == b' ').nth(1).unwrap_or_default();
    let path = String::from_utf8_lossy(path);
    let mut parts = path.trim_start_matches('/').split(['/', '?']);
    let (kind, number) =
        (parts.next().unwrap_or_default(), parts.next().and_then(|text| text.parse::<u64>().ok()));
    if kind == "count" {
        return answer(&mut stream, "200 OK", "", &count.get().to_string()).await;
    }
    count.set(count.get() + 1);
    match (kind, number) {
        ("status", Some(code)) => answer(&mut stream, &format!("{code} Status"), "", "").await,
        ("redirect", Some(left @ 1..)) => {
            let location = format!("Location: /redirect/{}\r\n", left - 1);
            answer(&mut stream, "302 Found", &location, "").await
        }
        ("slow", Some(ms)) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            answer(&mut stream, "200 OK", "", "hello\n").await
        }
        ("hang", _) => stream.read(&mut head).await.map(drop),
        ("close", _) => Ok(()),
        ("drip", _) => drip(&mut stream).await,
        _ => answer(&mut stream, "200 OK", "", "hello\n").await,
    }
}

/// Bytes up to the blank line.
async fn read_head(stream: &mut (impl AsyncRead + Unpin), head: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while !head[..length].ends_with(b"\r\n\r\n") {
        match stream.read(&mut head[length..]).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => length += read,
        }
    }
    Ok(length)
}

async fn answer(
    stream: &mut (impl AsyncWrite + Unpin),
    status: &str,
    header: &str,
    body: &str,
) -> io::Result<()> {
    let length = body.len();
    let wire =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\n{header}Content-Length: {length}\r\n\r\n{body}");
    stream.write_all(wire.as_bytes()).await?;
    stream.shutdown().await
}

async fn drip(stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 100\r\n\r\n").await?;
    for _ in 0..100 {
        stream.write_all(b".").await?;
        stream.flush().await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stream.shutdown().await
}

/// A certificate for this machine, from an authority that is written to `ca_out`.
fn made_up_identity(ca_out: &PathBuf) -> Result<TlsAcceptor, Box<dyn Error>> {
    let mut authority = CertificateParams::new(Vec::<String>::new())?;
    authority.distinguished_name.push(DnType::CommonName, "made up for a load run");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    std::fs::write(ca_out, authority.pem())?;

    let key = KeyPair::generate()?;
    let names = ["localhost", "127.0.0.1"].map(str::to_owned);
    let leaf = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der())?)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
