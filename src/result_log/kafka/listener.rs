//! What a listener speaks, found out by asking it.
//!
//! A listener with TLS closes the connection of a client without it, and the reverse, in the same way as a port whose
//! broker is just starting behind a proxy. One of them won't heal, so we look before we judge.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::refusal::Refusal;
use crate::result_log::kafka_settings::KafkaSettings;
use crate::trust;

/// For one connection, one write, one read.
const PATIENCE: Duration = Duration::from_secs(2);

/// `ApiVersions` version 0, correlation id 1, no client id: every Kafka broker answers it, before any login.
const API_VERSIONS: [u8; 14] = [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff];

/// First bytes of TLS records: an alert, a handshake.
const TLS_RECORDS: [u8; 2] = [0x15, 0x16];

/// Whether the listeners speak something else than `settings` say.
pub(super) fn misunderstanding(settings: &KafkaSettings) -> Option<Refusal> {
    settings.brokers.iter().find_map(|broker| {
        if settings.security.encrypts() {
            speaks_kafka(broker).ok()?.then(Refusal::tls_unknown)
        } else {
            speaks_tls(broker).ok()?.then(Refusal::tls_wanted)
        }
    })
}

fn connect(broker: &str) -> io::Result<TcpStream> {
    let address = broker.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn speaks_kafka(broker: &str) -> io::Result<bool> {
    let mut stream = connect(broker)?;
    stream.write_all(&API_VERSIONS)?;
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    // The length of the answer, and our correlation id.
    Ok(head[0] == 0 && head[4..] == [0, 0, 0, 1])
}

fn speaks_tls(broker: &str) -> io::Result<bool> {
    let mut stream = connect(broker)?;
    stream.write_all(&client_hello()?)?;
    let mut first = [0];
    stream.read_exact(&mut first)?;
    Ok(TLS_RECORDS.contains(&first[0]))
}

/// Nothing is trusted and nothing is verified: the first byte of the answer is all that we want.
fn client_hello() -> io::Result<Vec<u8>> {
    let config = ClientConfig::builder_with_provider(trust::provider())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(io::Error::other)?;
    let mut hello = Vec::new();
    connection.write_tls(&mut hello)?;
    Ok(hello)
}
