//! TLS errors as sentences.

use std::io;

use rustls::{Error, InvalidMessage};

use crate::trust::explain_certificate;

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
