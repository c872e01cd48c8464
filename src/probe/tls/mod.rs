//! TLS: whom we trust, who we are, the handshake, and what the server's certificate says even when we refuse it.

mod certificate;
mod explain;
mod identity;
mod seen;
mod verifier;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::{DnsName, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

pub(super) use self::certificate::{Link, Shown};
pub(super) use self::explain::explain_io;
use self::identity::RecordingIdentity;
pub(super) use self::seen::Seen;
use self::verifier::{Anchors, RecordingVerifier};
use super::failure::Failure;
use crate::model::Reason;
use crate::model::settings::{TlsSettings, TlsVersion};
use crate::pattern;
use crate::trust;

/// The names of protocols in a handshake (RFC 7301 and RFC 9113, section 3.2).
pub(super) const HTTP1: &[u8] = b"http/1.1";
pub(super) const HTTP2: &[u8] = b"h2";

/// `[site.tls]`, ready for handshakes.
pub(super) struct TlsPlan {
    /// For the site's own origin.
    client: TlsClient,
    /// For others, to which a redirect may lead: they are not shown our certificate.
    foreign: TlsClient,
    /// Instead of the URL's host, at the site's own origin.
    server_name: Option<ServerName<'static>>,
}

/// How handshakes are made.
#[derive(Debug, Clone)]
pub(super) struct TlsClient {
    /// The same for each handshake, but for the record of what is seen in it.
    config: Arc<ClientConfig>,
    anchors: Arc<Anchors>,
}

/// Whom a handshake is with.
enum Name {
    /// Asked for (SNI), and looked for in the certificate.
    Asked(ServerName<'static>),
    /// A name that browsers ask for and the library cannot: a label that ends in a hyphen, or begins with one. It is looked for
    /// in the certificate all the same, and a server that has one certificate will show it.
    Unasked(String),
}

impl TlsPlan {
    /// `common` is for sites without wishes of their own. Fails with what cannot be used, and why.
    pub(super) fn new(settings: &TlsSettings, common: &TlsClient) -> Result<Self, String> {
        let server_name = settings.server_name.as_ref().map(|name| {
            pattern::server_name(name).map_err(|error| format!("the server name {name:?}: {error}"))
        });
        let client = client(settings, common)?;
        let foreign = match &settings.client_cert {
            Some(_) => client_for_others(settings, common)?,
            None => client.clone(),
        };
        Ok(Self { client, foreign, server_name: server_name.transpose()? })
    }

    /// The same with an offer of other protocols (ALPN), the first one first.
    pub(super) fn offering(self, protocols: &[&[u8]]) -> Self {
        let Self { client, foreign, server_name } = self;
        Self { client: client.offering(protocols), foreign: foreign.offering(protocols), server_name }
    }

    /// Shakes hands with the host of `url` at `peer`, and notes in `seen` what that shows.
    pub(super) async fn handshake(
        &self,
        tcp: TcpStream,
        peer: SocketAddr,
        url: &Url,
        is_foreign: bool,
        seen: &Arc<Seen>,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        // The handshake is several small writes in a row; Nagle would hold one back until the other side acknowledges.
        tcp.set_nodelay(true)
            .map_err(|error| Failure::internal(format!("cannot set TCP_NODELAY: {error}")))?;
        let (client, name) = match &self.server_name {
            _ if is_foreign => (&self.foreign, name_of(url)?),
            Some(name) => (&self.client, Name::Asked(name.clone())),
            None => (&self.client, name_of(url)?),
        };
        client.connect(tcp, peer, name, seen).await
    }
}

impl TlsClient {
    /// For sites without wishes of their own.
    pub(super) fn common(roots: RootCertStore) -> Result<Self, String> {
        Self::new(Arc::new(Anchors::of(roots)?), &TlsSettings::default())
    }

    /// Without resumption: every check pays for, and so tests, a whole handshake, and the server shows its certificate each time.
    fn new(anchors: Arc<Anchors>, settings: &TlsSettings) -> Result<Self, String> {
        let versions: &[&SupportedProtocolVersion] = match settings.min_version {
            Some(TlsVersion::V1_3) => &[&version::TLS13],
            Some(TlsVersion::V1_2) | None => &[&version::TLS13, &version::TLS12],
        };
        let builder = ClientConfig::builder_with_provider(trust::provider())
            .with_protocol_versions(versions)
            .map_err(|error| format!("TLS: {error}"))?
            .dangerous()
            .with_custom_certificate_verifier(verifier(&anchors, None, &Arc::default()));
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
        config.alpn_protocols = vec![HTTP1.to_vec()];
        Ok(Self { config: Arc::new(config), anchors })
    }

    fn offering(self, protocols: &[&[u8]]) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        Self { config: Arc::new(config), ..self }
    }

    async fn connect(
        &self,
        tcp: TcpStream,
        peer: SocketAddr,
        name: Name,
        seen: &Arc<Seen>,
    ) -> Result<TlsStream<TcpStream>, Failure> {
        let (host, name, remark) = match name {
            Name::Asked(name) => (None, name, ""),
            // An address is never asked for.
            Name::Unasked(name) => {
                let nobody = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED).into());
                (Some(trust::Host::Name(name)), nobody, UNASKED)
            }
        };
        let connected = TlsConnector::from(self.watched(host, seen)).connect(name, tcp).await;
        connected.map_err(|error| {
            let has_certificate = seen.certificate().is_some();
            let offers_http2 = self.config.alpn_protocols.iter().any(|protocol| protocol == HTTP2);
            let error = explain::explain_handshake(&error, &peer.to_string(), has_certificate, offers_http2);
            Failure::new(Reason::Tls, format!("{error}{remark}"))
        })
    }

    /// For one handshake: what it shows goes into `seen`. The certificate has to be for `host`, whatever is asked for, if that is
    /// said. A clone of the configuration costs a thousandth of the handshake.
    fn watched(&self, host: Option<trust::Host>, seen: &Arc<Seen>) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&self.config);
        let identity = Arc::clone(&config.client_auth_cert_resolver);
        config.client_auth_cert_resolver = Arc::new(RecordingIdentity::new(identity, Arc::clone(seen)));
        config.dangerous().set_certificate_verifier(verifier(&self.anchors, host, seen));
        Arc::new(config)
    }
}

fn verifier(anchors: &Arc<Anchors>, host: Option<trust::Host>, seen: &Arc<Seen>) -> Arc<RecordingVerifier> {
    Arc::new(RecordingVerifier::new(Arc::clone(anchors), host, Arc::clone(seen)))
}

/// What a person has to know who reads why such a handshake failed.
const UNASKED: &str = "; the name could not be asked for (SNI), because a label of it begins or ends with a hyphen, so the \
                       server may have shown another site's certificate";

/// Nothing that the client for all would not do.
fn is_common(settings: &TlsSettings) -> bool {
    let TlsSettings { ca, client_cert, client_key: _, server_name: _, min_version, accept_invalid, .. } =
        settings;
    ca.is_none() && client_cert.is_none() && *min_version != Some(TlsVersion::V1_3) && !accept_invalid
}

fn client(settings: &TlsSettings, common: &TlsClient) -> Result<TlsClient, String> {
    if is_common(settings) { Ok(common.clone()) } else { own_client(settings, common) }
}

fn client_for_others(settings: &TlsSettings, common: &TlsClient) -> Result<TlsClient, String> {
    client(&TlsSettings { client_cert: None, client_key: None, ..settings.clone() }, common)
}

fn own_client(settings: &TlsSettings, common: &TlsClient) -> Result<TlsClient, String> {
    let anchors = match &settings.ca {
        _ if settings.accept_invalid => Arc::new(Anchors::Anybody),
        Some(pem) => {
            let listed = pattern::certificates(pem).map_err(|error| format!("the CA file: {error}"))?;
            Arc::new(Anchors::listed(listed))
        }
        None => Arc::clone(&common.anchors),
    };
    TlsClient::new(anchors, settings)
}

fn name_of(url: &Url) -> Result<Name, Failure> {
    match pattern::host_of(url) {
        Some(Host::Ipv4(ip)) => Ok(Name::Asked(IpAddr::from(ip).into())),
        Some(Host::Ipv6(ip)) => Ok(Name::Asked(IpAddr::from(ip).into())),
        // RFC 6066, section 3: without the trailing dot.
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            Ok(match DnsName::try_from(name.to_owned()) {
                Ok(name) => Name::Asked(ServerName::DnsName(name)),
                Err(_) => Name::Unasked(name.to_owned()),
            })
        }
        None => Err(Failure::internal(format!("{url} names no host"))),
    }
}
