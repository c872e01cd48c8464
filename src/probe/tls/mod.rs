//! TLS below awc: whom we trust, who we are, the handshake, and what the server's certificate says even when we refuse it.

mod certificate;
mod explain;
mod verifier;

use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{DnsName, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

pub(super) use self::certificate::Shown;
pub(super) use self::explain::explain_io;
use self::verifier::{Anchors, RecordingVerifier};
use super::failure::Failure;
use super::settings::Settings;
use super::trace::Trace;
use crate::model::Reason;
use crate::model::settings::{TlsSettings, TlsVersion};
use crate::pattern;

/// `[site.tls]`, ready for handshakes.
pub(super) struct TlsPlan {
    /// For the site's own origin.
    config: Arc<ClientConfig>,
    /// For others, to which a redirect may lead: they are not shown our certificate.
    foreign: Arc<ClientConfig>,
    /// Instead of the URL's host, at the site's own origin.
    server_name: Option<ServerName<'static>>,
}

impl TlsPlan {
    /// Fails with what cannot be used, and why.
    pub(super) fn new(settings: &TlsSettings, common: &Settings) -> Result<Self, String> {
        let server_name = settings.server_name.as_ref().map(|name| {
            pattern::server_name(name).map_err(|error| format!("the server name {name:?}: {error}"))
        });
        let config = config(settings, common)?;
        let foreign = match &settings.client_cert {
            Some(_) => config_for_others(settings, common)?,
            None => Arc::clone(&config),
        };
        Ok(Self { config, foreign, server_name: server_name.transpose()? })
    }

    /// Shakes hands with the host of `url`.
    pub(super) async fn handshake(
        &self,
        tcp: TcpStream,
        url: &Url,
        is_foreign: bool,
        trace: &Trace,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        // The handshake is several small writes in a row; Nagle would hold one back until the other side acknowledges.
        tcp.set_nodelay(true)
            .map_err(|error| Failure::internal(format!("cannot set TCP_NODELAY: {error}")))?;
        let (config, name) = match &self.server_name {
            _ if is_foreign => (&self.foreign, server_name(url)?),
            Some(name) => (&self.config, name.clone()),
            None => (&self.config, server_name(url)?),
        };
        let connected = TlsConnector::from(Arc::clone(config)).connect(name, tcp).await;
        connected
            .map_err(|error| Failure::new(Reason::Tls, explain::explain_handshake(&error, &trace.peer())))
    }
}

/// The configuration for sites without wishes of their own.
pub(super) fn common_config(roots: Arc<RootCertStore>) -> Result<Arc<ClientConfig>, String> {
    client_config(Anchors::of(roots, &provider())?, &TlsSettings::default())
}

/// Nothing that the configuration for all would not do.
fn is_common(settings: &TlsSettings) -> bool {
    let TlsSettings { ca, client_cert, client_key: _, server_name: _, min_version, accept_invalid, .. } =
        settings;
    ca.is_none() && client_cert.is_none() && *min_version != Some(TlsVersion::V1_3) && !accept_invalid
}

fn config(settings: &TlsSettings, common: &Settings) -> Result<Arc<ClientConfig>, String> {
    if is_common(settings) { Ok(Arc::clone(&common.tls)) } else { own_config(settings, common) }
}

fn config_for_others(settings: &TlsSettings, common: &Settings) -> Result<Arc<ClientConfig>, String> {
    config(&TlsSettings { client_cert: None, client_key: None, ..settings.clone() }, common)
}

fn own_config(settings: &TlsSettings, common: &Settings) -> Result<Arc<ClientConfig>, String> {
    let anchors = match &settings.ca {
        _ if settings.accept_invalid => Anchors::anybody(),
        Some(pem) => {
            let listed = pattern::certificates(pem).map_err(|error| format!("the CA file: {error}"))?;
            Anchors::listed(listed, &provider())?
        }
        None => Anchors::of(Arc::clone(&common.roots), &provider())?,
    };
    client_config(anchors, settings)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Without resumption: every check pays for, and so tests, a whole handshake, and the server shows its certificate each time.
fn client_config(anchors: Anchors, settings: &TlsSettings) -> Result<Arc<ClientConfig>, String> {
    let provider = provider();
    let versions: &[&SupportedProtocolVersion] = match settings.min_version {
        Some(TlsVersion::V1_3) => &[&version::TLS13],
        Some(TlsVersion::V1_2) | None => &[&version::TLS13, &version::TLS12],
    };
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .map_err(|error| format!("TLS: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(RecordingVerifier::new(anchors, &provider)));
    let mut config = match (&settings.client_cert, &settings.client_key) {
        (Some(certificate), Some(key)) => {
            let chain = pattern::certificates(certificate);
            let chain = chain.map_err(|error| format!("the client certificate: {error}"))?;
            let key = pattern::private_key(key).map_err(|error| format!("the client key: {error}"))?;
            let with_client = builder.with_client_auth_cert(chain, key);
            with_client.map_err(|error| format!("the client certificate with its key: {error}"))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl Anchors {
    /// Those that `roots` vouch for.
    fn of(roots: Arc<RootCertStore>, provider: &Arc<CryptoProvider>) -> Result<Self, String> {
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(provider)).build();
        let verifier = verifier.map_err(|error| format!("the trust anchors: {error}"))?;
        Ok(Self::Chain { verifier: Some(verifier), listed: Vec::new() })
    }
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
