//! The URL of a PostgreSQL database, as libpq reads it (its documentation, section "Connection URIs"): what names a server,
//! what is refused, and with which remedy. Read in one way when the configuration is loaded and when a connection is made.
//!
//! No fault repeats a part of the URL that may be a piece of a password: a password with an unescaped `@`, `/`, `?` or `%`
//! moves the borders of all other parts.

mod percent;
mod words;

use std::net::IpAddr;
use std::path::PathBuf;

use percent::{decoded, percent_decoded};
use words::refuse_word;

/// Read, and without contradictions.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct PostgresUrl {
    /// Of the role.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// One or more, in the order in which they are tried.
    pub hosts: Vec<Host>,
    /// Name of the database.
    pub database: Option<String>,
    /// How much TLS.
    pub ssl_mode: SslMode,
    /// File of the CA. `None` for those of the system.
    pub root_cert: Option<PathBuf>,
    /// `application_name`.
    pub application_name: Option<String>,
    /// `options`: settings of the session.
    pub options: Option<String>,
    /// `channel_binding`.
    pub channel_binding: ChannelBinding,
    /// `sslnegotiation=direct`.
    pub tls_at_once: bool,
    /// `load_balance_hosts=random`.
    pub any_order: bool,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    /// Where it is.
    pub place: Place,
    /// `hostaddr`: where to connect, while `place` is the name in its certificate.
    pub address: Option<IpAddr>,
    /// The port, or the number in the name of the socket.
    pub port: u16,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A name or an address.
    Tcp(String),
    /// The folder of a Unix socket.
    Unix(PathBuf),
}

/// `sslmode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum SslMode {
    /// Never.
    Disable,
    /// Where the server offers it; also `allow`.
    #[default]
    Prefer,
    /// Always, and the server may be anybody.
    Require,
    /// And its certificate comes from somebody that we trust.
    VerifyCa,
    /// And bears its name.
    VerifyFull,
}

/// `channel_binding`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    /// Never.
    Disable,
    /// Where it is possible.
    #[default]
    Prefer,
    /// Or no login.
    Require,
}

/// What is wrong with a URL, without a word of it that may be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UrlFault {
    /// Completes "the URL …".
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

const EXAMPLE: &str = "write for example \"postgres://user:password@host:5432/database\"; special characters in the password \
                       are written as %XX";

fn fault(problem: impl Into<String>, remedy: impl Into<String>) -> UrlFault {
    UrlFault { problem: problem.into(), remedy: remedy.into() }
}

impl PostgresUrl {
    /// Reads `url`.
    ///
    /// # Errors
    /// It is no URL of PostgreSQL, or asks for what this program does not do.
    pub(crate) fn parse(url: &str) -> Result<Self, UrlFault> {
        let rest = ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| fault("does not begin with postgres://", EXAMPLE))?;
        if rest.chars().any(|letter| letter.is_control() || letter == ' ') {
            return Err(fault("holds a blank or a control character", EXAMPLE));
        }
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        refuse_stray_at(authority, path, query)?;
        let mut found = Parts { database: decoded(path)?, ..Parts::default() };
        let hosts = found.take_user(authority)?;
        found.take_hosts(hosts)?;
        let mut url = Self::default();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            url.take_parameter(&mut found, parameter)?;
        }
        found.finish(url)
    }

    /// Every server with its port, for messages.
    pub(crate) fn servers(&self) -> String {
        self.hosts.iter().map(Host::to_string).collect::<Vec<_>>().join(", ")
    }

    fn take_parameter(&mut self, found: &mut Parts, parameter: &str) -> Result<(), UrlFault> {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let is_word = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_word(key) || !parameter.contains('=') {
            return Err(fault(
                "has something after \"?\" that is not of the form name=value",
                "write a ? in the password as %3F, an & in a value as %26",
            ));
        }
        let value = percent_decoded(value)?;
        match key {
            "user" => found.user = Some(value),
            "password" => found.password = Some(value),
            "host" => found.hosts = value.split(',').map(str::to_owned).collect(),
            "hostaddr" => found.addresses = value.split(',').map(str::to_owned).collect(),
            "port" => found.ports = value.split(',').map(str::to_owned).collect(),
            "dbname" => found.database = Some(value).filter(|name| !name.is_empty()),
            "sslmode" => self.ssl_mode = ssl_mode(&value)?,
            // libpq's word for the trust anchors of the system, which are what we take without a file.
            "sslrootcert" if value == "system" => self.root_cert = None,
            "sslrootcert" => self.root_cert = Some(PathBuf::from(value)),
            "application_name" => self.application_name = Some(value),
            "options" => self.options = Some(value),
            "channel_binding" => self.channel_binding = channel_binding(&value)?,
            "sslnegotiation" => self.tls_at_once = one_of(key, &value, ["postgres", "direct"])? == 1,
            "load_balance_hosts" => self.any_order = one_of(key, &value, ["disable", "random"])? == 1,
            _ => refuse_word(key, &value)?,
        }
        Ok(())
    }
}

/// What may stand before and after the `?`.
#[derive(Default)]
struct Parts {
    user: Option<String>,
    password: Option<String>,
    hosts: Vec<String>,
    addresses: Vec<String>,
    ports: Vec<String>,
    database: Option<String>,
}

impl Parts {
    /// Takes user and password, and returns what follows them.
    fn take_user<'a>(&mut self, authority: &'a str) -> Result<&'a str, UrlFault> {
        let Some((user_info, hosts)) = authority.split_once('@') else { return Ok(authority) };
        let (user, password) = match user_info.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (user_info, None),
        };
        self.user = decoded(user)?;
        self.password = password.map(percent_decoded).transpose()?;
        Ok(hosts)
    }

    /// `host`, `host:port`, `[v6]:port`, several of them with commas between; a host may be the folder of a socket, escaped.
    fn take_hosts(&mut self, hosts: &str) -> Result<(), UrlFault> {
        if hosts.is_empty() {
            return Ok(());
        }
        for item in hosts.split(',') {
            let (host, port) = split_port(item)?;
            self.hosts.push(percent_decoded(host)?);
            self.ports.push(port.to_owned());
        }
        Ok(())
    }

    fn finish(self, url: PostgresUrl) -> Result<PostgresUrl, UrlFault> {
        let count = self.hosts.len().max(self.addresses.len());
        if count == 0 {
            return Err(fault("names no host", EXAMPLE));
        }
        for (name, list) in [("hosts", &self.hosts), ("hostaddr", &self.addresses)] {
            if !list.is_empty() && list.len() != count {
                return Err(fault(format!("names {count} servers and {} {name}", list.len()), EXAMPLE));
            }
        }
        if self.ports.len() > 1 && self.ports.len() != count {
            return Err(fault(
                format!("names {count} servers and {} ports", self.ports.len()),
                "name one port for all of them, or one for each",
            ));
        }
        let hosts = (0..count).map(|index| self.host(index)).collect::<Result<_, _>>()?;
        Ok(PostgresUrl { user: self.user, password: self.password, database: self.database, hosts, ..url })
    }

    fn host(&self, index: usize) -> Result<Host, UrlFault> {
        let port = self.ports.get(index).or(self.ports.first()).map_or("", String::as_str);
        let address = match self.addresses.get(index).filter(|address| !address.is_empty()) {
            Some(address) => Some(address.parse().map_err(|_| {
                fault(
                    "has a hostaddr that is no IP address",
                    "write names in host, and addresses in hostaddr",
                )
            })?),
            None => None,
        };
        let name = self.hosts.get(index).map_or("", String::as_str);
        Ok(Host { place: place(name, address)?, address, port: port_number(port)? })
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Place::Unix(folder) => write!(f, "{}/.s.PGSQL.{}", folder.display(), self.port),
            Place::Tcp(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Place::Tcp(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

/// Only one `@` has a meaning: the one before the hosts. Any other may belong to a password, and then every part is another
/// than it seems.
fn refuse_stray_at(authority: &str, path: &str, query: &str) -> Result<(), UrlFault> {
    let first_key = query.split(['=', '&']).next().unwrap_or_default();
    if authority.matches('@').count() > 1 {
        return Err(fault(
            "has more than one \"@\" before the host",
            "write an @ in the user or the password as %40",
        ));
    }
    if path.contains('@') {
        return Err(fault("has an \"@\" after a \"/\"", "write a / in the password as %2F, and an @ as %40"));
    }
    if first_key.contains('@') {
        return Err(fault("has an \"@\" after a \"?\"", "write a ? in the password as %3F, and an @ as %40"));
    }
    Ok(())
}

fn split_port(item: &str) -> Result<(&str, &str), UrlFault> {
    if let Some(bracketed) = item.strip_prefix('[') {
        let (host, after) =
            bracketed.split_once(']').ok_or_else(|| fault("has a [ without a ] in its host", EXAMPLE))?;
        let port = after.strip_prefix(':').unwrap_or(after);
        return Ok((host, port));
    }
    Ok(item.split_once(':').unwrap_or((item, "")))
}

fn port_number(text: &str) -> Result<u16, UrlFault> {
    if text.is_empty() {
        return Ok(5432);
    }
    // Not shown: of `postgres://user:password`, where the host was forgotten, it is the password.
    text.parse::<u16>().ok().filter(|port| *port > 0).ok_or_else(|| {
        fault(
            "is no URL: its port is no number from 1 to 65535",
            format!("{EXAMPLE}; an address of IPv6 stands in brackets"),
        )
    })
}

fn place(name: &str, address: Option<IpAddr>) -> Result<Place, UrlFault> {
    if name.starts_with('/') {
        return Ok(Place::Unix(PathBuf::from(name)));
    }
    if name.is_empty() {
        return address
            .map(|address| Place::Tcp(address.to_string()))
            .ok_or_else(|| fault("names no host", EXAMPLE));
    }
    let is_odd = |letter: char| letter.is_whitespace() || letter.is_control() || "@/\\\"'#".contains(letter);
    if name.contains(is_odd) {
        return Err(fault("has a host that is none", EXAMPLE));
    }
    Ok(Place::Tcp(name.to_owned()))
}

fn ssl_mode(word: &str) -> Result<SslMode, UrlFault> {
    use SslMode::{Disable, Prefer, Require, VerifyCa, VerifyFull};
    let words = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
    let modes = [Disable, Prefer, Prefer, Require, VerifyCa, VerifyFull];
    Ok(modes[one_of("sslmode", word, words)?])
}

fn channel_binding(word: &str) -> Result<ChannelBinding, UrlFault> {
    use ChannelBinding::{Disable, Prefer, Require};
    Ok([Disable, Prefer, Require][one_of("channel_binding", word, ["disable", "prefer", "require"])?])
}

fn one_of<const N: usize>(key: &str, word: &str, words: [&str; N]) -> Result<usize, UrlFault> {
    words.iter().position(|known| *known == word).ok_or_else(|| {
        let shown: String = word.chars().take(30).collect();
        fault(format!("has the unknown {key} {shown:?}"), format!("use one of {}", words.join(", ")))
    })
}

#[cfg(test)]
mod tests;
