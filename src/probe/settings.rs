//! What every check of a process has in common: configuration, guard, names, trust anchors.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::RootCertStore;

use super::dns::{NameFiles, Names};
use super::guard::{Guard, GuardError};
use super::tls::TlsClient;
use crate::trust;

/// How sites are checked, as `[checker]` says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeConfig {
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// Bytes of body that are read at most; the rest is left unread and the result says so.
    pub body_limit: u64,
    /// Redirect hops that are followed at most.
    pub max_redirects: u32,
    /// Addresses that are never connected to: CIDRs and the words of [`Guard`].
    pub deny_targets: Vec<String>,
    /// Name servers to ask, in this order; empty for those of the system.
    pub dns: Vec<SocketAddr>,
    /// Where the system says how names resolve. The hosts file counts with `dns`, too.
    pub name_files: NameFiles,
    /// Questions to name servers that may be under way at once; each holds a socket.
    pub questions: usize,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            user_agent: concat!("uptime-monitor/", env!("CARGO_PKG_VERSION")).to_owned(),
            body_limit: 1024 * 1024,
            max_redirects: 10,
            deny_targets: ["link-local", "multicast", "unspecified"].map(str::to_owned).to_vec(),
            dns: Vec::new(),
            name_files: NameFiles::default(),
            questions: 256,
        }
    }
}

/// Why no probe could be made of a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// `user_agent` cannot stand in a header.
    #[error("use the user agent {0:?}: it holds a character that a header cannot")]
    UserAgent(String),
    /// `deny_targets` holds something else than addresses, CIDRs and known words.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The trust anchors were refused, for example because there are none.
    #[error("set up TLS with {0}")]
    Tls(String),
}

/// A checked [`ProbeConfig`] with the trust anchors, made once in a process; every thread makes its [`Probe`] from it.
///
/// [`Probe`]: super::Probe
#[derive(Debug, Clone)]
pub struct ProbeSettings(pub(super) Arc<Settings>);

/// The content of [`ProbeSettings`].
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) user_agent: String,
    pub(super) body_limit: u64,
    pub(super) max_redirects: u32,
    pub(super) guard: Guard,
    /// One for all threads: what one has asked, the others know.
    pub(super) names: Names,
    /// For sites without settings of their own; its anchors are those of every site that does not name others.
    pub(super) tls: TlsClient,
}

impl ProbeSettings {
    /// Trusts what the system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` count), and Mozilla's list where it trusts nobody.
    /// Reads files: call it once.
    pub fn load(config: &ProbeConfig) -> Result<Self, ProbeError> {
        Self::with_roots(config, trust::system_roots())
    }

    /// Trusts `roots` and nobody else.
    pub fn with_roots(config: &ProbeConfig, roots: RootCertStore) -> Result<Self, ProbeError> {
        if config.user_agent.chars().any(char::is_control) {
            return Err(ProbeError::UserAgent(config.user_agent.clone()));
        }
        Ok(Self(Arc::new(Settings {
            user_agent: config.user_agent.clone(),
            body_limit: config.body_limit,
            max_redirects: config.max_redirects,
            guard: Guard::parse(&config.deny_targets)?,
            names: Names::new(&config.dns, &config.name_files, config.questions),
            tls: TlsClient::common(roots).map_err(ProbeError::Tls)?,
        })))
    }
}
