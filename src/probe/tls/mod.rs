//! TLS below awc: whom we trust, the handshake, and what the server's certificate says even when we refuse it.

mod certificate;
mod explain;
mod verifier;

use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{DnsName, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

pub(super) use self::explain::explain_io;
use self::verifier::RecordingVerifier;
use super::failure::Failure;
use super::settings::ProbeError;
use super::trace::Trace;
use crate::model::Reason;

/// One configuration for all checks. Without resumption: every check pays for, and so tests, a whole handshake, and the
/// server shows its certificate each time.
pub(super) fn client_config(roots: RootCertStore) -> Result<Arc<ClientConfig>, ProbeError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| ProbeError::Tls(Box::new(error)))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ProbeError::Tls(Box::new(error)))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(RecordingVerifier::around(verifier)))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Shakes hands as the host of `url`.
pub(super) async fn handshake(
    config: Arc<ClientConfig>,
    tcp: TcpStream,
    url: &Url,
    trace: &Trace,
) -> Result<TlsStream<TcpStream>, Failure> {
    // The handshake is several small writes in a row; Nagle would hold one back until the other side acknowledges.
    tcp.set_nodelay(true).map_err(|error| Failure::internal(format!("cannot set TCP_NODELAY: {error}")))?;
    let name = server_name(url)?;
    let connected = TlsConnector::from(config).connect(name, tcp).await;
    connected.map_err(|error| Failure::new(Reason::Tls, explain::explain_handshake(&error, &trace.peer())))
}

fn server_name(url: &Url) -> Result<ServerName<'static>, Failure> {
    match url.host() {
        Some(Host::Ipv4(ip)) => Ok(ServerName::from(std::net::IpAddr::from(ip))),
        Some(Host::Ipv6(ip)) => Ok(ServerName::from(std::net::IpAddr::from(ip))),
        // RFC 6066, section 3: without the trailing dot.
        Some(Host::Domain(name)) => match DnsName::try_from(name.trim_end_matches('.').to_owned()) {
            Ok(name) => Ok(ServerName::DnsName(name)),
            Err(_) => {
                Err(Failure::new(Reason::Tls, format!("no certificate can be valid for the name {name}")))
            }
        },
        None => Err(Failure::internal(format!("{url} names no host"))),
    }
}
