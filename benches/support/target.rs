//! What is checked: a cheap web server on loopback, and a name server, in a process of their own, so that their CPU is not
//! counted as ours.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsAcceptor;

use super::names;

/// Makes a bench binary act as the target.
pub const ARGUMENT: &str = "--act-as-target";

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nhello\n";

/// A running target. It ends when this is dropped, or when this process ends in any other way.
pub struct Target {
    child: Child,
    http: u16,
    https: u16,
    /// Held open: the target may not die of what it prints.
    _output: BufReader<ChildStdout>,
    /// Its name server.
    pub names: SocketAddr,
    /// Who signed its certificate.
    pub roots: RootCertStore,
}

impl Target {
    /// Starts this very program as the target.
    pub fn start() -> Self {
        // Each check in flight is a file on either side.
        let _ = rlimit::increase_nofile_limit(u64::MAX);
        let program = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(program)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the target starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut port = || {
            let mut line = String::new();
            output.read_line(&mut line).expect("a line from the target");
            line.trim().parse().expect("a port")
        };
        let (http, https, names) = (port(), port(), (Ipv4Addr::LOCALHOST, port()).into());
        let mut pem = String::new();
        while !pem.contains("END CERTIFICATE") {
            assert_ne!(output.read_line(&mut pem).expect("a certificate from the target"), 0);
        }
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM")).expect("a trust anchor");
        Self { child, http, https, _output: output, names, roots }
    }

    /// The URL of its first page. `hang` below it never answers.
    pub fn url(&self, scheme: &str) -> String {
        self.url_at(scheme, "127.0.0.1")
    }

    /// The same by another name. Its name server knows all.
    pub fn url_at(&self, scheme: &str, host: &str) -> String {
        format!("{scheme}://{host}:{}/", if scheme == "https" { self.https } else { self.http })
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Acts as the target until standard input ends.
pub fn serve() {
    let (acceptor, authority) = made_up_identity();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (http, https) = runtime.block_on(async { (listen(), listen()) });
    for listener in [&http, &https] {
        println!("{}", listener.local_addr().expect("an address").port());
    }
    let names = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    println!("{}", names.local_addr().expect("an address").port());
    std::thread::spawn(move || names::serve(&names));
    print!("{authority}");
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    LocalSet::new().block_on(&runtime, async {
        tokio::join!(accept(http, None), accept(https, Some(acceptor)));
    });
}

fn listen() -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    socket.listen(BACKLOG).expect("a listener")
}

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let acceptor = acceptor.clone();
        spawn_local(async move {
            // A client that goes away is its own business.
            let _ = match acceptor {
                None => answer(stream).await,
                Some(acceptor) => match acceptor.accept(stream).await {
                    Ok(stream) => answer(stream).await,
                    Err(error) => Err(error),
                },
            };
        });
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut head = [0; 2048];
    let mut length = 0;
    while !head[..length].ends_with(b"\r\n\r\n") {
        match stream.read(&mut head[length..]).await? {
            0 => return Ok(()),
            read => length += read,
        }
    }
    if head.starts_with(b"GET /hang ") {
        return stream.read(&mut head).await.map(drop);
    }
    stream.write_all(ANSWER).await?;
    stream.shutdown().await
}

/// A certificate for 127.0.0.1, and the PEM of the authority that signed it.
fn made_up_identity() -> (TlsAcceptor, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &authority).expect("a certificate");
    let private = PrivateKeyDer::try_from(key.serialize_der()).expect("a private key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], private))
        .expect("a TLS configuration");
    (TlsAcceptor::from(Arc::new(config)), authority.pem())
}
