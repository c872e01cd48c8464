//! TLS errors as sentences.

use std::io;

use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible, PeerMisbehaved, ProtocolVersion};

use crate::trust::explain_certificate;

/// How far a connection had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The server had not shown its certificate.
    Hello(Offer),
    /// It had, and so it had found a cipher, a key exchange and a signature that both have.
    Certificate,
    /// The handshake was over for us, in this version.
    Request(ProtocolVersion),
}

/// What a handshake offers beside HTTP/1.1 (ALPN).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Offer {
    http2: bool,
}

/// Why the handshake with `peer` failed. `has_certificate`: it had shown its certificate. `offers_http2`: we would have spoken that, too.
pub(super) fn explain_handshake(
    error: &io::Error,
    peer: &str,
    has_certificate: bool,
    offers_http2: bool,
) -> String {
    let stage = match has_certificate {
        true => Stage::Certificate,
        false => Stage::Hello(Offer { http2: offers_http2 }),
    };
    if let Some(sentence) = explain_at(stage, error, peer) {
        return sentence;
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => format!("{peer} closed the connection during the TLS handshake"),
        io::ErrorKind::ConnectionReset => format!("{peer} reset the connection during the TLS handshake"),
        _ => format!("the TLS handshake with {peer} failed: {error}"),
    }
}

/// The TLS error inside `error`, if that is what it is. `speaking` is the version once the handshake is over for us. In TLS 1.3
/// a server that wants a client certificate says so only then, with the first read.
pub(in crate::probe) fn explain_io(
    error: &io::Error,
    peer: &str,
    speaking: Option<ProtocolVersion>,
) -> Option<String> {
    explain_at(speaking.map_or(Stage::Hello(Offer::default()), Stage::Request), error, peer)
}

fn explain_at(stage: Stage, error: &io::Error, peer: &str) -> Option<String> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match error {
        Error::InvalidCertificate(error) => explain_certificate(error),
        Error::AlertReceived(alert) => explain_alert(*alert, peer, stage),
        Error::PeerMisbehaved(PeerMisbehaved::TooManyRenegotiationRequests) => renegotiation(peer),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => format!("{peer} does not speak TLS"),
        Error::InvalidMessage(_) => format!("{peer} sends what is no TLS message"),
        Error::PeerIncompatible(why) => explain_mismatch(why, peer),
        Error::PeerMisbehaved(
            PeerMisbehaved::SignedKxWithWrongAlgorithm
            | PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme,
        ) => format!(
            "{peer} signs the TLS handshake in a way that is not verified: with a key for RSASSA-PSS alone over TLS 1.2, or in \
             one that was not offered"
        ),
        Error::PeerMisbehaved(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. } => format!("{peer} breaks the rules of TLS"),
        Error::DecryptError | Error::PeerSentOversizedRecord => format!("{peer} sends a broken TLS record"),
        Error::NoCertificatesPresented => format!("{peer} shows no certificate"),
        other => format!("TLS with {peer} failed: {other}"),
    })
}

/// RFC 8446, section 6, and RFC 5246, section 7.2. Alerts are told with their number, which is the same in every tool.
fn explain_alert(alert: AlertDescription, peer: &str, stage: Stage) -> String {
    use AlertDescription as A;
    let is_over = stage == Stage::Request(ProtocolVersion::TLSv1_2);
    let why = match alert {
        // We have answered a HelloRequest with a warning, and this is what servers make of it.
        A::HandshakeFailure | A::NoRenegotiation if is_over => return renegotiation(peer),
        // TLS 1.2 has no alert of its own for it, and OpenSSL sends this one.
        A::HandshakeFailure if !matches!(stage, Stage::Hello(_)) => {
            "it broke off after it had shown its certificate. Mostly such a server wants a client certificate, or another one"
        }
        A::HandshakeFailure | A::InsufficientSecurity => {
            "it has no cipher, key exchange or signature in common with us. Checks offer TLS 1.3, and TLS 1.2 with ECDHE and \
             AES-GCM or ChaCha20, but neither CBC, static RSA nor DHE"
        }
        A::ProtocolVersion => "it speaks no version of TLS that this check may use",
        A::CertificateRequired => "it wants a client certificate",
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA => "it does not take the client certificate, or wants one",
        A::AccessDenied => "it denies access to this client",
        A::UnrecognisedName => "it has no site of that name",
        A::NoApplicationProtocol if stage == Stage::Hello(Offer { http2: true }) => {
            "it speaks neither HTTP/2 nor HTTP/1.1"
        }
        A::NoApplicationProtocol => "it does not speak HTTP/1.1",
        A::DecodeError | A::DecryptError | A::IllegalParameter | A::UnexpectedMessage | A::BadRecordMac => {
            "it did not understand what it was sent"
        }
        A::InternalError => "it has a fault of its own",
        _ => "it does not say why",
    };
    let what = if is_over { "ended the TLS connection" } else { "refused the TLS handshake" };
    format!("{peer} {what}: {why} (TLS alert {})", u8::from(alert))
}

fn explain_mismatch(why: &PeerIncompatible, peer: &str) -> String {
    use PeerIncompatible as P;
    match why {
        P::ServerDoesNotSupportTls12Or13 | P::ServerTlsVersionIsDisabledByOurConfig => {
            format!(
                "{peer} speaks no version of TLS that this check may use: TLS 1.2 and 1.3, or min_version"
            )
        }
        P::NoCertificateRequestSignatureSchemesInCommon => {
            format!("{peer} wants a client certificate with a signature that is not made here")
        }
        _ => format!("{peer} and we have no cipher, key exchange or signature of TLS in common"),
    }
}

/// RFC 5246, section 7.4.1.1. The library refuses to, and TLS 1.3 has it no more.
fn renegotiation(peer: &str) -> String {
    format!(
        "{peer} asked to negotiate again during the request, which checks cannot: servers do so in TLS 1.2 to ask for a client \
         certificate for a part of a site"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: Error, speaking: Option<ProtocolVersion>) -> String {
        explain_io(&io::Error::other(error), "192.0.2.7:443", speaking).unwrap()
    }

    #[test]
    fn a_key_that_only_tls_1_3_can_use_is_told() {
        let sentence = told(PeerMisbehaved::SignedKxWithWrongAlgorithm.into(), None);

        assert!(sentence.contains("a key for RSASSA-PSS alone over TLS 1.2"), "{sentence}");
    }

    #[test]
    fn a_server_that_has_shown_its_certificate_has_a_cipher_in_common_with_us() {
        let error = io::Error::other(Error::AlertReceived(AlertDescription::HandshakeFailure));
        let told = |has_certificate| explain_handshake(&error, "192.0.2.7:443", has_certificate, false);

        assert!(told(false).contains("it has no cipher"), "{}", told(false));
        assert!(told(true).contains("wants a client certificate"), "{}", told(true));
    }

    /// An alert in the middle of a request means another thing than one in the handshake, and in TLS 1.3 servers send theirs late.
    #[test]
    fn an_alert_is_told_by_when_it_came() {
        let alert = |speaking| told(Error::AlertReceived(AlertDescription::HandshakeFailure), speaking);

        assert!(alert(None).contains("refused the TLS handshake: it has no cipher"));
        assert!(alert(Some(ProtocolVersion::TLSv1_3)).contains("refused the TLS handshake"));
        assert!(
            alert(Some(ProtocolVersion::TLSv1_2)).contains("asked to negotiate again during the request")
        );
    }

    #[test]
    fn no_sentence_is_a_debug_text() {
        let alerts = (0..=255).map(|code| Error::AlertReceived(AlertDescription::from(code)));
        let others = [
            PeerMisbehaved::SelectedUnofferedCipherSuite.into(),
            PeerIncompatible::NoKxGroupsInCommon.into(),
            PeerIncompatible::ServerDoesNotSupportTls12Or13.into(),
            InvalidMessage::MessageTooLarge.into(),
            Error::DecryptError,
            Error::NoCertificatesPresented,
            rustls::CertificateError::BadEncoding.into(),
        ];
        for error in alerts.chain(others) {
            for speaking in [None, Some(ProtocolVersion::TLSv1_2)] {
                let sentence = told(error.clone(), speaking);
                let is_camel = |word: &str| {
                    word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase)
                };
                let debug = sentence.split(|sign: char| !sign.is_alphanumeric()).find(|word| is_camel(word));
                assert!(debug.is_none_or(|word| word == "ChaCha20"), "{sentence}");
            }
        }
    }
}
