//! Certificates of the tests' own, and servers that show them.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;

use chrono::{DateTime, Datelike as _, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    SignatureAlgorithm, date_time_ymd,
};
use rustls::crypto::aws_lc_rs::{self, sign::any_supported_type};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use crate::server::{LOOPBACK, Server, answer, read_head};

pub(crate) type Day = (i32, u8, u8);
pub(crate) const LONG_AGO: Day = (2001, 2, 3);
pub(crate) const FAR_OFF: Day = (2090, 5, 6);
pub(crate) const VALID: (Day, Day) = (LONG_AGO, FAR_OFF);

/// A connection on the server's side.
pub(crate) type TlsStream = StreamOwned<ServerConnection, TcpStream>;

/// A certificate authority of the test's own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let params = params(name, &[], VALID, true);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn der(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn intermediate(&self, name: &str, validity: (Day, Day)) -> Self {
        let params = params(name, &[], validity, true);
        Self(CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    /// An authority between this one and its leaves, with a key of another kind.
    pub(crate) fn intermediate_with(&self, name: &str, kind: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(kind).unwrap();
        Self(CertifiedIssuer::signed_by(params(name, &[], VALID, true), key, &self.0).unwrap())
    }

    /// This authority's key, certified by `other` as well: for clients that know `other` alone.
    pub(crate) fn certified_by(
        &self,
        other: &Self,
        name: &str,
        validity: (Day, Day),
    ) -> CertificateDer<'static> {
        params(name, &[], validity, true).signed_by(self.0.key(), &other.0).unwrap().der().clone()
    }

    pub(crate) fn leaf(&self, names: &[&str], validity: (Day, Day)) -> Identity {
        self.sign(params("the leaf", names, validity, false))
    }

    /// A certificate for `localhost` that began and ends so many days from today.
    pub(crate) fn leaf_from_to(&self, from: i64, to: i64) -> Identity {
        self.leaf(&["localhost"], (day_from_now(from), day_from_now(to)))
    }

    /// A certificate for `localhost` with a key of another kind.
    pub(crate) fn leaf_with(&self, kind: &'static SignatureAlgorithm) -> Identity {
        self.sign_for(params("the leaf", &["localhost"], VALID, false), KeyPair::generate_for(kind).unwrap())
    }

    /// A certificate with these extensions of its own, and no name but what is in them.
    pub(crate) fn leaf_saying(&self, extensions: Vec<CustomExtension>) -> Identity {
        let mut params = params("the leaf", &[], VALID, false);
        params.custom_extensions = extensions;
        self.sign(params)
    }

    /// A certificate for `localhost` that expires in `days`, counted from today, after years.
    pub(crate) fn leaf_for_days(&self, days: i64) -> Identity {
        self.leaf(&["localhost"], (LONG_AGO, day_from_now(days)))
    }

    fn sign(&self, params: CertificateParams) -> Identity {
        self.sign_for(params, KeyPair::generate().unwrap())
    }

    fn sign_for(&self, params: CertificateParams, key: KeyPair) -> Identity {
        let leaf = params.signed_by(&key, &self.0).unwrap();
        Identity { chain: vec![leaf.der().clone()], key }
    }
}

/// The day that begins, or began, so many days from now.
pub(crate) fn day_from_now(days: i64) -> Day {
    let day = (uptime_monitor::clock::Clock::system().now() + chrono::TimeDelta::days(days)).date_naive();
    (day.year(), day.month() as u8, day.day() as u8)
}

/// What somebody shows, and the key to it.
pub(crate) struct Identity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: KeyPair,
}

impl Identity {
    /// Signed by its own key, as an authority's certificate is or as most are that people make for themselves.
    pub(crate) fn self_signed(names: &[&str], is_ca: bool) -> Self {
        let key = KeyPair::generate().unwrap();
        let own = params("the leaf", names, VALID, is_ca).self_signed(&key).unwrap();
        Self { chain: vec![own.der().clone()], key }
    }

    /// The same once more.
    pub(crate) fn duplicate(&self) -> Self {
        Self { chain: self.chain.clone(), key: KeyPair::try_from(self.key.serialize_der()).unwrap() }
    }

    /// The first certificate, as it stands in files.
    pub(crate) fn pem(&self) -> String {
        use base64::Engine as _;
        let text = base64::prelude::BASE64_STANDARD.encode(&self.chain[0]);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

pub(crate) fn params(name: &str, names: &[&str], (from, to): (Day, Day), is_ca: bool) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(from.0, from.1, from.2);
    params.not_after = date_time_ymd(to.0, to.1, to.2);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    params
}

pub(crate) fn day((year, month, day): Day) -> DateTime<Utc> {
    format!("{year}-{month:02}-{day:02}T00:00:00Z").parse().unwrap()
}

/// How a server speaks TLS: as `identity`, in one of `versions`, and only with those whom `clients` vouches for, if anybody.
pub(crate) fn config(
    identity: Identity,
    versions: &[&'static SupportedProtocolVersion],
    clients: Option<&Authority>,
) -> Arc<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_protocol_versions(versions).unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    // Without the check whether the certificate can be read: that is for the client to say.
    let identity = CertifiedKey::new(identity.chain, any_supported_type(&key).unwrap());
    Arc::new(builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity))))
}

/// Serves over TLS: reads each request's head, then lets `act` go on.
pub(crate) fn serve_with(
    config: Arc<ServerConfig>,
    act: impl Fn(TlsStream, &str) + Send + Sync + 'static,
) -> Server {
    Server::raw(LOOPBACK, move |tcp, _| {
        tcp.set_nodelay(true).unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), tcp);
        let request = read_head(&mut stream);
        if !request.is_empty() {
            act(stream, &request);
        }
    })
}

/// Sends `bytes` and close_notify, as TLS wants it.
pub(crate) fn send_and_close(mut stream: TlsStream, bytes: &[u8]) {
    // The other side may have gone already, which is its right.
    let _ = stream.write_all(bytes);
    stream.conn.send_close_notify();
    let _ = stream.flush();
}

/// Serves 200 over TLS as `identity`.
pub(crate) fn serve(identity: Identity) -> Server {
    let hello = answer("200 OK", "hello");
    serve_with(config(identity, rustls::ALL_VERSIONS, None), move |stream, _| {
        send_and_close(stream, hello.as_bytes());
    })
}
