//! Handshakes: versions, clients that have to say who they are, and what is no handshake at all.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;

use crate::authority::{self, Authority, VALID, send_and_close, serve, serve_with};
use crate::server::{Exchange, LOOPBACK, Server, answer, refusing};
use crate::table::{AUTHORITY, Case, Scene, Want, down, run, up};
use crate::trust::at_localhost;

#[actix_rt::test]
async fn every_case() {
    run("TLS", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [versions(), clients(), handshakes(), mixed_up()].into_iter().flatten().collect()
}

/// A server of one version that lets in whom `clients` vouches for.
fn speaking(
    version: &'static SupportedProtocolVersion,
    clients: Option<Arc<Authority>>,
) -> impl Fn() -> Scene {
    move || {
        let identity = AUTHORITY.leaf(&["localhost"], VALID);
        let config = authority::config(identity, &[version], clients.as_deref());
        at_localhost(serve_with(config, |stream, _| {
            send_and_close(stream, answer("200 OK", "hello").as_bytes())
        }))
    }
}

fn versions() -> Vec<Case> {
    let at_least = |version: &str| json!({"tls": {"min_version": version}});
    let too_old = down(Reason::Tls).tells("refused the TLS handshake: ProtocolVersion");
    vec![
        Case::new("TLS 1.2", speaking(&TLS12, None), up().bytes(5)),
        Case::new("TLS 1.3", speaking(&TLS13, None), up().bytes(5)),
        Case::new("1.2 where 1.3 is the least", speaking(&TLS12, None), too_old).with(at_least("1.3")),
        Case::new("1.3 where 1.3 is the least", speaking(&TLS13, None), up()).with(at_least("1.3")),
        Case::new("1.2 where 1.2 is the least", speaking(&TLS12, None), up()).with(at_least("1.2")),
        Case::new("1.3 where 1.2 is the least", speaking(&TLS13, None), up()).with(at_least("1.2")),
        Case::new("HTTP/2 and nothing else", h2_only, down(Reason::Tls).tells("NoApplicationProtocol")),
    ]
}

fn h2_only() -> Scene {
    let identity = AUTHORITY.leaf(&["localhost"], VALID);
    let mut config = Arc::unwrap_or_clone(authority::config(identity, rustls::ALL_VERSIONS, None));
    config.alpn_protocols = vec![b"h2".to_vec()];
    at_localhost(serve_with(Arc::new(config), |stream, _| send_and_close(stream, b"")))
}

/// Whom a server lets in.
fn clients() -> Vec<Case> {
    let theirs = Arc::new(Authority::new("whom the server trusts"));
    let known = as_client(&theirs);
    let unknown = as_client(&Authority::new("whom it does not"));
    let refused = |why: &str| down(Reason::Tls).tells(format!("refused the TLS handshake: {why}"));
    let mut rows = Vec::new();
    for version in [&TLS12, &TLS13] {
        let name = |who: &str| format!("{who} [{:?}]", version.version);
        let asking = || speaking(version, Some(Arc::clone(&theirs)));
        rows.extend([
            Case::new(name("a client that the server knows"), asking(), up().bytes(5)).with(known.clone()),
            Case::new(name("a client without a certificate"), asking(), refused("CertificateRequired")),
            Case::new(name("a client that it does not know"), asking(), down(Reason::Tls))
                .with(unknown.clone()),
            Case::new(name("a certificate that nobody asked for"), speaking(version, None), up())
                .with(known.clone()),
        ]);
    }
    rows
}

fn as_client(authority: &Authority) -> Json {
    let identity = authority.leaf(&["the client"], VALID);
    json!({"tls": {"client_cert": identity.pem(), "client_key": identity.key_pem()}})
}

/// What a server does in place of its part of a handshake, once the client has said hello.
fn instead(name: &str, act: impl Fn(TcpStream) + Send + Sync + Clone + 'static, tells: &str) -> Case {
    let scene = move || {
        let act = act.clone();
        at_localhost(Server::raw(LOOPBACK, move |mut tcp, _| {
            tcp.read_exact(&mut [0; 5]).unwrap();
            act(tcp);
        }))
    };
    let want: Want = down(Reason::Tls).tells(tells);
    Case::new(name, scene, want).also(|outcome, scene| {
        assert_eq!((outcome.http_status, outcome.certificate.is_some()), (None, false));
        assert_eq!(outcome.remote_addr, Some(scene.servers[0].addr));
    })
}

/// Reads the rest of what the client has said, sends `bytes`, and closes.
fn reply(bytes: &'static [u8]) -> impl Fn(TcpStream) + Send + Sync + Clone {
    move |mut tcp| {
        let _ = tcp.read(&mut [0; 16_384]);
        let _ = tcp.write_all(bytes);
    }
}

fn handshakes() -> Vec<Case> {
    let reset = |tcp: TcpStream| {
        // Unread bytes make the close a reset.
        tcp.peek(&mut [0]).unwrap();
    };
    vec![
        instead("the end instead of a hello", reply(b""), "closed the connection during the TLS handshake"),
        instead("a reset instead of a hello", reset, "reset the connection during the TLS handshake"),
        instead(
            "half a hello",
            reply(b"\x16\x03\x03\0\x7a\x02\0\0\x76\x03\x03"),
            "closed the connection during the TLS handshake",
        ),
        instead(
            "an alert: no common cipher",
            reply(b"\x15\x03\x03\0\x02\x02\x28"),
            "refused the TLS handshake: HandshakeFailure",
        ),
        instead(
            "an alert: no such name here",
            reply(b"\x15\x03\x03\0\x02\x02\x70"),
            "refused the TLS handshake: UnrecognisedName",
        ),
        instead(
            "an alert: version",
            reply(b"\x15\x03\x03\0\x02\x02\x46"),
            "refused the TLS handshake: ProtocolVersion",
        ),
        instead(
            "HTTP",
            reply(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            "does not speak TLS",
        ),
        instead("an SSH banner", reply(b"SSH-2.0-OpenSSH_9.9\r\n"), "does not speak TLS"),
        instead("noise", reply(&[0xff; 64]), "does not speak TLS"),
        instead("a hello that is none", reply(b"\x16\x03\x03\0\x04\x02\0\0\0"), "the TLS handshake with"),
    ]
}

/// The wrong scheme for a port.
fn mixed_up() -> Vec<Case> {
    let alert = |mut exchange: Exchange| exchange.send(b"\x15\x03\x01\0\x02\x02\x16");
    let polite = answer("400 Bad Request", "The plain HTTP request was sent to HTTPS port");
    let http_to_tls = || serve(AUTHORITY.leaf(&["localhost"], VALID)).into();
    let closed = || {
        let (port, addr) = refusing();
        Scene { url: format!("https://{addr}/"), servers: Vec::new(), held: Some(Box::new(port)) }
    };
    vec![
        Case::serving(
            "http to a port that answers with an alert",
            alert,
            down(Reason::Protocol).tells("does not answer in HTTP/1"),
        ),
        Case::answer("http to a port that says so", polite, down(Reason::Status).http(400)),
        Case::new(
            "http to a TLS server",
            http_to_tls,
            down(Reason::Protocol).tells("does not answer in HTTP/1"),
        ),
        Case::new("https to a closed port", closed, down(Reason::Connect).tells("connection refused")),
    ]
}
