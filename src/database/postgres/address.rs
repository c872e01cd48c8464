//! Where the database is, and as whom we log in.

use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config as native;

use super::tls::Verify;
use crate::database::DatabaseError;
use crate::postgres_url::{ChannelBinding, Host, Place, PostgresUrl, SslMode, UrlFault};

/// Where the database is.
#[derive(Clone)]
pub(super) struct Address {
    /// Login and database; the servers are in `hosts`.
    pub(super) config: Config,
    /// In the order in which they are tried.
    pub(super) hosts: Vec<Host>,
    /// `load_balance_hosts=random`: each process begins with another one.
    pub(super) any_order: bool,
    /// How much of the server's certificate has to be right.
    pub(super) tls: Verify,
    /// `sslrootcert`.
    pub(super) ca_file: Option<PathBuf>,
    /// Hosts and ports, for messages.
    pub(super) server: String,
}

impl Address {
    /// Reads `url`. No message repeats it, for it has a password.
    pub(super) fn parse(url: &str) -> Result<Self, DatabaseError> {
        let url = PostgresUrl::parse(url).map_err(|UrlFault { problem, remedy }| DatabaseError::Refused {
            server: "the address in database.url".to_owned(),
            message: format!("it {problem}"),
            remedy,
        })?;
        let (ssl_mode, tls) = modes(url.ssl_mode);
        let mut config = login(&url);
        config.ssl_mode(ssl_mode);
        let (server, ca_file) = (url.servers(), url.root_cert);
        Ok(Self { config, hosts: url.hosts, any_order: url.any_order, tls, ca_file, server })
    }

    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or("(the name of the system's user)")
    }

    /// PostgreSQL takes the user's name where no database is named.
    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_else(|| self.user())
    }

    /// How to talk to one of the hosts: nobody listens on the way to a socket, and servers offer no TLS there.
    pub(super) fn config_for(&self, host: &Host) -> Config {
        let mut config = self.config.clone();
        if matches!(host.place, Place::Unix(_)) {
            config.ssl_mode(native::SslMode::Disable);
        }
        config
    }
}

fn login(url: &PostgresUrl) -> Config {
    let mut config = Config::new();
    config.application_name(url.application_name.as_deref().unwrap_or("uptime-monitor"));
    if let Some(user) = &url.user {
        config.user(user);
    }
    if let Some(password) = &url.password {
        config.password(password);
    }
    if let Some(database) = &url.database {
        config.dbname(database);
    }
    if let Some(options) = &url.options {
        config.options(options);
    }
    config.channel_binding(match url.channel_binding {
        ChannelBinding::Disable => native::ChannelBinding::Disable,
        ChannelBinding::Prefer => native::ChannelBinding::Prefer,
        ChannelBinding::Require => native::ChannelBinding::Require,
    });
    if url.tls_at_once {
        config.ssl_negotiation(native::SslNegotiation::Direct);
    }
    config
}

fn modes(mode: SslMode) -> (native::SslMode, Verify) {
    match mode {
        SslMode::Disable => (native::SslMode::Disable, Verify::Nothing),
        SslMode::Prefer => (native::SslMode::Prefer, Verify::Nothing),
        SslMode::Require => (native::SslMode::Require, Verify::Nothing),
        SslMode::VerifyCa => (native::SslMode::Require, Verify::Issuer),
        SslMode::VerifyFull => (native::SslMode::Require, Verify::IssuerAndName),
    }
}
