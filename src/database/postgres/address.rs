//! The URL of a PostgreSQL database, with the parts of libpq's dialect that tokio-postgres does not know.

use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use url::form_urlencoded;

use super::tls::Verify;
use crate::database::DatabaseError;
use crate::failure::chain;

/// Where the database is.
#[derive(Clone)]
pub(super) struct Address {
    /// All but TLS.
    pub(super) config: Config,
    /// How much of the server's certificate has to be right.
    pub(super) tls: Verify,
    /// `sslrootcert`.
    pub(super) ca_file: Option<PathBuf>,
    /// Host and port, for messages.
    pub(super) server: String,
}

impl Address {
    /// Reads `url`. No message repeats it, for it has a password.
    pub(super) fn parse(url: &str) -> Result<Self, DatabaseError> {
        let (plain, parameters) = take_tls_parameters(url);
        let mut config: Config = plain.parse().map_err(|error| unreadable(chain(&error)))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(unreadable("it names no host".to_owned()));
        }
        let (ssl_mode, tls) = modes(parameters.mode.as_deref().unwrap_or("prefer"))?;
        config.ssl_mode(ssl_mode);
        Ok(Self { server: server(&config), ca_file: parameters.root_file, tls, config })
    }

    pub(super) fn user(&self) -> &str {
        self.config.get_user().unwrap_or("(the name of the system's user)")
    }

    /// PostgreSQL takes the user's name where no database is named.
    pub(super) fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_else(|| self.user())
    }
}

fn unreadable(message: String) -> DatabaseError {
    DatabaseError::Refused {
        server: "the address in database.url".to_owned(),
        message,
        remedy: "write it as postgres://user:password@host:5432/database?sslmode=verify-full".to_owned(),
    }
}

#[derive(Default)]
struct TlsParameters {
    mode: Option<String>,
    root_file: Option<PathBuf>,
}

/// The URL without `sslmode` and `sslrootcert`, and these.
fn take_tls_parameters(url: &str) -> (String, TlsParameters) {
    let mut parameters = TlsParameters::default();
    // A question mark may also stand in a password, which ends with the first @.
    let credentials = url.find('@').unwrap_or(0);
    let Some(start) = url[credentials..].find('?').map(|at| credentials + at) else {
        return (url.to_owned(), parameters);
    };
    let others: Vec<&str> =
        url[start + 1..].split('&').filter(|&parameter| !parameters.take(parameter)).collect();
    (format!("{}?{}", &url[..start], others.join("&")), parameters)
}

impl TlsParameters {
    fn take(&mut self, parameter: &str) -> bool {
        // In a URL of libpq a plus is a plus.
        let plain = parameter.replace('+', "%2B");
        let Some((key, value)) = form_urlencoded::parse(plain.as_bytes()).next() else { return false };
        match &*key {
            "sslmode" => self.mode = Some(value.into_owned()),
            // libpq's word for the trust anchors of the system, which are what we take without a file.
            "sslrootcert" if value == "system" => {}
            "sslrootcert" => self.root_file = Some(PathBuf::from(value.into_owned())),
            _ => return false,
        }
        true
    }
}

fn modes(word: &str) -> Result<(SslMode, Verify), DatabaseError> {
    match word {
        "disable" => Ok((SslMode::Disable, Verify::Nothing)),
        "allow" | "prefer" => Ok((SslMode::Prefer, Verify::Nothing)),
        "require" => Ok((SslMode::Require, Verify::Nothing)),
        "verify-ca" => Ok((SslMode::Require, Verify::Issuer)),
        "verify-full" => Ok((SslMode::Require, Verify::IssuerAndName)),
        other => Err(unreadable(format!(
            "sslmode={other} is none of disable, prefer, require, verify-ca and verify-full"
        ))),
    }
}

fn server(config: &Config) -> String {
    let hosts: Vec<String> = if config.get_hosts().is_empty() {
        config.get_hostaddrs().iter().map(ToString::to_string).collect()
    } else {
        config.get_hosts().iter().map(host_name).collect()
    };
    let ports = config.get_ports();
    let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
    let servers = hosts.iter().enumerate().map(|(index, host)| format!("{host}:{}", port(index)));
    servers.collect::<Vec<_>>().join(", ")
}

fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(path) => path.display().to_string(),
    }
}
