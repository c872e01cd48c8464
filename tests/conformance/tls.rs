//! Handshakes: versions, clients that have to say who they are, and what is no handshake at all.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{ServerConnection, SignatureScheme, SupportedProtocolVersion};
use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;

use crate::authority::{self, Authority, VALID, send_and_close, serve, serve_with};
use crate::renegotiation;
use crate::server::{Exchange, LOOPBACK, Server, answer, redirect, refusing};
use crate::signers::{self, Signature};
use crate::table::{AUTHORITY, Case, Scene, Want, down, run, up};
use crate::trust::at_localhost;

#[actix_rt::test]
async fn every_case() {
    run("TLS", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [versions(), clients(), keys(), handshakes(), mixed_up()].into_iter().flatten().collect()
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
    let too_old = down(Reason::Tls).tells("refused the TLS handshake: it speaks no version of TLS");
    vec![
        Case::new("TLS 1.2", speaking(&TLS12, None), up().bytes(5)),
        Case::new("TLS 1.3", speaking(&TLS13, None), up().bytes(5)),
        Case::new("1.2 where 1.3 is the least", speaking(&TLS12, None), too_old).with(at_least("1.3")),
        Case::new("1.3 where 1.3 is the least", speaking(&TLS13, None), up()).with(at_least("1.3")),
        Case::new("1.2 where 1.2 is the least", speaking(&TLS12, None), up()).with(at_least("1.2")),
        Case::new("1.3 where 1.2 is the least", speaking(&TLS13, None), up()).with(at_least("1.2")),
        Case::new("HTTP/2 and nothing else", h2_only, down(Reason::Tls).tells("it does not speak HTTP/1.1")),
        Case::new(
            "apache 2.4.71: a wish to negotiate again during the request",
            || at_localhost(renegotiation::server()),
            down(Reason::Tls).tells("asked to negotiate again during the request"),
        )
        .also(|outcome, _| {
            let error = outcome.error.as_deref().unwrap();
            assert!(!error.contains("handshake"), "{error}");
        }),
    ]
}

fn h2_only() -> Scene {
    let identity = AUTHORITY.leaf(&["localhost"], VALID);
    let mut config = Arc::unwrap_or_clone(authority::config(identity, rustls::ALL_VERSIONS, None));
    config.alpn_protocols = vec![b"h2".to_vec()];
    at_localhost(serve_with(Arc::new(config), |stream, _| send_and_close(stream, b"")))
}

/// A server hello by RFC 2246, with TLS_RSA_WITH_AES_128_CBC_SHA.
const OLD_HELLO: &[u8] = b"\x16\x03\x01\0\x2a\x02\0\0\x26\x03\x01\
    0123456789abcdef0123456789abcdef\0\0\x2f\0";

/// Keys and signatures that browsers take, and some that nobody does.
fn keys() -> Vec<Case> {
    let mut rows = Vec::new();
    for version in [&TLS12, &TLS13] {
        let name = |what: &str| format!("{what} [{:?}]", version.version);
        for (kind, algorithm) in [
            ("P-256", &rcgen::PKCS_ECDSA_P256_SHA256),
            ("P-384", &rcgen::PKCS_ECDSA_P384_SHA384),
            ("P-521", &rcgen::PKCS_ECDSA_P521_SHA512),
            ("Ed25519", &rcgen::PKCS_ED25519),
        ] {
            let show = move || {
                let config = authority::config(AUTHORITY.leaf_with(algorithm), &[version], None);
                at_localhost(serve_with(config, |stream, _| send_and_close(stream, HELLO.as_bytes())))
            };
            rows.push(Case::new(name(&format!("a key on {kind}")), show, up().bytes(5)));
        }
        rows.push(
            Case::new(name("an authority whose key is for RSASSA-PSS alone"), signed_by_pss(version), up())
                .with(fixtures()),
        );
    }
    rows.extend(pss_keys());
    rows.extend(false_signatures());
    rows
}

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// Trusts the authority that has signed the files.
fn fixtures() -> Json {
    json!({"tls": {"ca": signers::AUTHORITY}})
}

fn signed_by_pss(version: &'static SupportedProtocolVersion) -> impl Fn() -> Scene {
    move || at_localhost(signers::serve_pem(include_str!("certificates/signed-by-pss.pem"), &[version]))
}

/// `rsa_pss_pss_sha256` and its siblings, which are TLS 1.3 only here.
fn pss_keys() -> Vec<Case> {
    let serve = |pem: &'static str, made: SignatureScheme, said: u16| {
        move || {
            let signature = Signature::relabelled(made, &signers::key(pem), said);
            at_localhost(signers::serve_signing(signers::chain(pem), signature, &[&TLS13]))
        }
    };
    let any = include_str!("certificates/pss.pem");
    let sha384 = include_str!("certificates/pss384.pem");
    let not_its_own = refused_signature();
    vec![
        Case::new("a key for PSS alone, SHA-256", serve(any, SignatureScheme::RSA_PSS_SHA256, 0x0809), up()),
        Case::new("a key for PSS alone, SHA-512", serve(any, SignatureScheme::RSA_PSS_SHA512, 0x080b), up()),
        Case::new(
            "a key for PSS with SHA-384 alone",
            serve(sha384, SignatureScheme::RSA_PSS_SHA384, 0x080a),
            up(),
        ),
        Case::new(
            "a key for PSS with SHA-384 alone, that signs with SHA-256",
            serve(sha384, SignatureScheme::RSA_PSS_SHA256, 0x0809),
            not_its_own.clone(),
        ),
        Case::new(
            "a key for PSS, and another hash than it says",
            serve(any, SignatureScheme::RSA_PSS_SHA384, 0x0809),
            not_its_own,
        ),
    ]
    .into_iter()
    .map(|case| case.with(fixtures()))
    .collect()
}

fn refused_signature() -> Want {
    down(Reason::Tls).tells("the server's signature does not fit its certificate's key")
}

/// A certificate that is good, shown by somebody who does not have its key.
fn false_signatures() -> Vec<Case> {
    let impostor = |said: SignatureScheme| {
        move || at_localhost(signers::impostor(AUTHORITY.leaf(&["localhost"], VALID), said))
    };
    let schemes = [
        ("ECDSA", SignatureScheme::ECDSA_NISTP256_SHA256),
        ("PSS", SignatureScheme::RSA_PSS_SHA256),
        ("PSS with a key for PSS alone", SignatureScheme::Unknown(0x0809)),
    ];
    let rows = schemes.map(|(name, said)| {
        Case::new(format!("a certificate without its key: {name}"), impostor(said), refused_signature())
    });
    rows.into()
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
            Case::new(
                name("a client without a certificate"),
                asking(),
                refused("it wants a client certificate"),
            ),
            Case::new(name("a client that it does not know"), asking(), down(Reason::Tls))
                .with(unknown.clone()),
            Case::new(name("a certificate that nobody asked for"), speaking(version, None), up())
                .with(known.clone()),
        ]);
    }
    let broke_off = refused(
        "it broke off after it had shown its certificate. Mostly such a server wants a client certificate",
    );
    rows.push(Case::new(
        "a client without a certificate [as OpenSSL says it over TLS 1.2]",
        move || at_localhost(refusing_like_openssl(&theirs)),
        broke_off,
    ));
    rows
}

/// A TLS 1.2 server that refuses a client without a certificate with the alert handshake_failure, where rustls has another one.
fn refusing_like_openssl(clients: &Authority) -> Server {
    let config = authority::config(AUTHORITY.leaf(&["localhost"], VALID), &[&TLS12], Some(clients));
    Server::raw(LOOPBACK, move |mut tcp, _| {
        let mut server = ServerConnection::new(Arc::clone(&config)).unwrap();
        // Until it has read that the client has no certificate, all is as rustls would have it.
        while matches!(server.read_tls(&mut tcp), Ok(1..)) && server.process_new_packets().is_ok() {
            server.write_tls(&mut tcp).unwrap();
        }
        let _ = tcp.write_all(b"\x15\x03\x03\0\x02\x02\x28");
    })
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
            "refused the TLS handshake: it has no cipher, key exchange or signature in common with us",
        ),
        instead(
            "an alert: no such name here",
            reply(b"\x15\x03\x03\0\x02\x02\x70"),
            "refused the TLS handshake: it has no site of that name (TLS alert 112)",
        ),
        instead(
            "an alert: version",
            reply(b"\x15\x03\x03\0\x02\x02\x46"),
            "refused the TLS handshake: it speaks no version of TLS that this check may use",
        ),
        instead(
            "HTTP",
            reply(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
            "does not speak TLS",
        ),
        instead("an SSH banner", reply(b"SSH-2.0-OpenSSH_9.9\r\n"), "does not speak TLS"),
        instead("noise", reply(&[0xff; 64]), "does not speak TLS"),
        instead(
            "a hello that is none",
            reply(b"\x16\x03\x03\0\x04\x02\0\0\0"),
            "sends what is no TLS message",
        ),
        instead("a hello of TLS 1.0", reply(OLD_HELLO), "speaks no version of TLS that this check may use"),
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
        Case::new("https by way of http", by_way_of_http, up()),
        Case::new(
            "https by way of http, required",
            by_way_of_http,
            down(Reason::Tls).tells("over TLS, after a redirect without, expected https"),
        )
        .with(json!({"expect": {"tls": "required"}})),
        Case::new("https to a closed port", closed, down(Reason::Connect).tells("connection refused")),
    ]
}

/// A TLS server that redirects to one without, which redirects to another with TLS.
fn by_way_of_http() -> Scene {
    let last = serve(AUTHORITY.leaf(&["localhost"], VALID));
    let plain = Server::answering(redirect(&format!("https://localhost:{}/", last.port())));
    let moved = redirect(&plain.url("/"));
    let config = authority::config(AUTHORITY.leaf(&["localhost"], VALID), rustls::ALL_VERSIONS, None);
    let first = serve_with(config, move |stream, _| send_and_close(stream, moved.as_bytes()));
    let mut scene = at_localhost(first);
    scene.servers.extend([plain, last]);
    scene
}
