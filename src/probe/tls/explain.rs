//! TLS errors as sentences.

use std::io;

use chrono::DateTime;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, Error, InvalidMessage};

/// Why the handshake with `peer` failed.
pub(super) fn explain_handshake(error: &io::Error, peer: &str) -> String {
    if let Some(sentence) = explain_io(error, peer) {
        return sentence;
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("{peer} closed the connection during the TLS handshake"),
        io::ErrorKind::ConnectionReset => format!("{peer} reset the connection during the TLS handshake"),
        _ => format!("the TLS handshake with {peer} failed: {error}"),
    }
}

/// The TLS error inside `error`, if that is what it is. Servers that want a client certificate say so only when the
/// handshake seems over, so it can come with the first read.
pub(in crate::probe) fn explain_io(error: &io::Error, peer: &str) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(error) => explain_certificate(error),
        Error::AlertReceived(alert) => format!("{peer} refused the TLS handshake: {alert:?}"),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => format!("{peer} does not speak TLS"),
        Error::PeerIncompatible(why) => {
            format!("{peer} and we have no TLS version or cipher in common: {why:?}")
        }
        other => format!("the TLS handshake with {peer} failed: {other}"),
    })
}

fn explain_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate expired on {}", date(*not_after))
        }
        CertificateError::Expired => "the certificate has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the certificate is not valid before {}", date(*not_before))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            format!("the certificate is not valid for {}, but for {}", plain_name(expected), list(presented))
        }
        CertificateError::UnknownIssuer => "the certificate comes from an unknown issuer".to_owned(),
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        CertificateError::BadSignature => "the certificate is not signed by its issuer".to_owned(),
        // webpki's word for a certificate that its own key has signed, and that nobody was told to trust.
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "the certificate is self-signed".to_owned()
        }
        other => format!("the certificate is not acceptable: {other}"),
    }
}

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    DateTime::from_timestamp(seconds, 0).map_or("an unreadable date".to_owned(), |at| at.to_rfc3339())
}

fn plain_name(name: &ServerName<'_>) -> String {
    name.to_str().into_owned()
}

/// webpki presents names as `DnsName("example.org")`.
fn list(presented: &[String]) -> String {
    if presented.is_empty() {
        return "no name".to_owned();
    }
    let names: Vec<&str> = presented.iter().map(|name| name.split('"').nth(1).unwrap_or(name)).collect();
    names.join(", ")
}
