//! What other servers are: the database, Kafka, and who may ask us.

use std::net::SocketAddr;

use super::fault::Fault;
use super::parse::unknown_word;
use super::quoted::quoted;
use super::secret::real;
use crate::postgres_url::{PostgresUrl, UrlFault};
use crate::result_log::kafka_settings::{GroupProtocol, Mechanism, Security};

/// How the URL of the embedded database begins.
pub(super) const SQLITE: &str = "sqlite://";

/// `sqlite://PATH`, or what PostgreSQL's own programs accept as a URL.
pub(super) fn database_url(url: &str) -> Result<String, Fault> {
    if let Some(path) = url.strip_prefix(SQLITE) {
        return sqlite(url, path);
    }
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return postgres(url);
    }
    Err(Fault::new(
        "begins neither with sqlite:// nor with postgres://",
        "write for example \"sqlite://data/uptime.db\" or \"postgres://user:password@host/database\"",
    ))
}

fn sqlite(url: &str, path: &str) -> Result<String, Fault> {
    let example = "write for example \"sqlite://data/uptime.db\"";
    if path.is_empty() {
        return Err(Fault::new("has no path", example));
    }
    if path.chars().any(char::is_control) {
        return Err(Fault::new("has a control character in its path", example));
    }
    if path.contains('?') {
        return Err(Fault::new(
            "has options after \"?\", which this version does not know",
            "leave them out",
        ));
    }
    Ok(url.to_owned())
}

/// No fault repeats a part of it: where a password was not escaped, any part may be a piece of it.
fn postgres(url: &str) -> Result<String, Fault> {
    let read = PostgresUrl::parse(url).map_err(|UrlFault { problem, remedy }| Fault::new(problem, remedy))?;
    read.password.as_deref().map_or(Ok(()), real)?;
    if read.database.is_none() {
        let example = "write for example \"postgres://user:password@host:5432/database\"";
        return Err(Fault::new("names no database", example));
    }
    Ok(url.to_owned())
}

/// `host:port`; an IPv6 address in brackets.
pub(super) fn broker(item: &str) -> Result<String, Fault> {
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    let is_host = |host: &str| {
        !host.is_empty() && !host.contains(|letter: char| letter.is_whitespace() || letter == '/')
    };
    match item.rsplit_once(':') {
        Some((host, port)) if is_host(host) && is_port(port) => Ok(item.to_owned()),
        _ => Err(Fault::new(
            format!("holds {}, which is no \"host:port\"", quoted(item.rsplit('@').next().unwrap_or(item))),
            "write for example \"kafka-1:9092\"",
        )),
    }
}

/// Kafka's own rule for names of topics.
pub(super) fn topic(name: &str) -> Result<String, Fault> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    if name.is_empty() || name.len() > 249 || !name.chars().all(allowed) || matches!(name, "." | "..") {
        return Err(Fault::new(
            "is no name of a topic",
            "use 1 to 249 ASCII letters, digits, dots, underscores and dashes",
        ));
    }
    Ok(name.to_owned())
}

pub(super) fn group(name: &str) -> Result<String, Fault> {
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(Fault::new("is no name of a group", "use one or more printable characters"));
    }
    Ok(name.to_owned())
}

pub(super) fn group_protocol(word: &str) -> Result<GroupProtocol, Fault> {
    match word {
        "consumer" => Ok(GroupProtocol::Consumer),
        "classic" => Ok(GroupProtocol::Classic),
        _ => Err(unknown_word(word, &["consumer", "classic"])),
    }
}

/// Our words, and Kafka's own, in any case.
pub(super) fn security(word: &str) -> Result<Security, Fault> {
    match word.to_ascii_lowercase().as_str() {
        "plaintext" => Ok(Security::Plaintext),
        "tls" | "ssl" => Ok(Security::Tls),
        "sasl_plaintext" => Ok(Security::SaslPlaintext),
        "sasl_tls" | "sasl_ssl" => Ok(Security::SaslTls),
        _ => Err(unknown_word(word, &["plaintext", "tls", "sasl_plaintext", "sasl_tls"])),
    }
}

pub(super) fn mechanism(word: &str) -> Result<Mechanism, Fault> {
    match word.to_ascii_lowercase().as_str() {
        "plain" => Ok(Mechanism::Plain),
        "scram-sha-256" => Ok(Mechanism::ScramSha256),
        "scram-sha-512" => Ok(Mechanism::ScramSha512),
        _ => Err(unknown_word(word, &["plain", "scram-sha-256", "scram-sha-512"])),
    }
}

/// `ip:port`, or nothing.
pub(super) fn listen(address: &str) -> Result<String, Fault> {
    if address.is_empty() || address.parse::<SocketAddr>().is_ok() {
        return Ok(address.to_owned());
    }
    Err(Fault::new("is no \"ip:port\"", "write for example \"127.0.0.1:9180\", or \"\" to answer nobody"))
}
