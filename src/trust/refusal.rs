//! What is wrong with a certificate, as a sentence for people.

use std::sync::Arc;

use chrono::DateTime;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{CertificateError, Error, OtherError};
use x509_parser::asn1_rs::Oid;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

use super::names::{self, Host};

/// Names of a certificate that a sentence shows.
const NAMES: usize = 20;

/// RSA keys that are shorter are not verified: half a day's work for many.
const SHORTEST_RSA: usize = 2048;

/// What is wrong with a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refusal(String);

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        CertificateError::Other(OtherError(Arc::new(refusal))).into()
    }
}

impl Refusal {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    pub(super) fn unreadable() -> Self {
        Self::new("the certificate cannot be read: it breaks the form of RFC 5280")
    }

    pub(super) fn expired(not_after: UnixTime) -> Self {
        Self::new(format!("the certificate expired on {}", date(not_after)))
    }

    pub(super) fn not_yet(not_before: UnixTime) -> Self {
        Self::new(format!("the certificate is not valid before {}", date(not_before)))
    }

    pub(super) fn of_name(leaf: &CertificateDer<'_>, host: &Host) -> Self {
        let names = X509Certificate::from_der(leaf).map(|(_, leaf)| names::listed(&leaf, NAMES));
        let names = names.unwrap_or_default();
        let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
        Self::new(format!("the certificate is not valid for {host}, but for {names}"))
    }

    /// The server has not shown that the key of `leaf` is its own.
    pub(super) fn of_handshake(leaf: &CertificateDer<'_>) -> Self {
        if let Some(small) = small_key(std::iter::once(leaf)) {
            return small;
        }
        match X509Certificate::from_der(leaf) {
            Ok(_) => Self::new(
                "the server's signature does not fit its certificate's key, or is of a kind that is not verified",
            ),
            Err(_) => Self::unreadable(),
        }
    }

    /// Why no chain leads from `leaf`, which came with `others`, to an anchor.
    pub(super) fn of_chain(
        error: &webpki::Error,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
    ) -> Self {
        use webpki::Error as E;
        match error {
            E::CertExpired { not_after, .. } => match whose(leaf, others, |ends| {
                ends.1 == seconds(*not_after)
            }) {
                None => Self::expired(*not_after),
                Some(issuer) => Self::new(format!("{issuer} in its chain expired on {}", date(*not_after))),
            },
            E::CertNotValidYet { not_before, .. } => {
                match whose(leaf, others, |ends| ends.0 == seconds(*not_before)) {
                    None => Self::not_yet(*not_before),
                    Some(issuer) => {
                        Self::new(format!("{issuer} in its chain is not valid before {}", date(*not_before)))
                    }
                }
            }
            // webpki's word for an authority's certificate as a server's; mostly its own key has signed it.
            E::UnknownIssuer | E::CaUsedAsEndEntity if is_self_issued(leaf) => {
                Self::new("the certificate is self-signed")
            }
            E::CaUsedAsEndEntity => Self::new("the certificate is that of an authority, and no server's"),
            E::UnknownIssuer => Self::new("the certificate comes from an unknown issuer"),
            E::InvalidSignatureForPublicKey => small_key(std::iter::once(leaf).chain(others))
                .unwrap_or_else(|| Self::new("the certificate is not signed by its issuer")),
            E::UnsupportedSignatureAlgorithmContext(context) => unverified(&context.signature_algorithm_id),
            E::UnsupportedSignatureAlgorithmForPublicKeyContext(context) => {
                unverified(&context.public_key_algorithm_id)
            }
            other => Self::new(in_words(other)),
        }
    }
}

/// The rest, each of which a person may meet once in a life.
fn in_words(error: &webpki::Error) -> &'static str {
    use webpki::Error as E;
    match error {
        E::CertRevoked => "the certificate was revoked",
        E::CertDistrusted => "the certificate has a key that is known to be in wrong hands",
        E::InvalidCertValidity => "the certificate ends before it begins",
        E::UnsupportedCertVersion => {
            "the certificate is of an X.509 version before 3, which cannot name a host"
        }
        E::UnsupportedCriticalExtension => {
            "the certificate has a critical extension that is not known here, so its meaning is not either"
        }
        E::NameConstraintViolation => {
            "a name of the certificate lies outside of what its issuer may sign for"
        }
        E::PathLenConstraintViolated => "the chain of the certificate is longer than an issuer in it allows",
        E::EndEntityUsedAsCa => "the certificate is signed by one that is no authority's",
        E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => {
            "the certificate, or an issuer's, is not meant for web servers (extended key usage)"
        }
        E::SignatureAlgorithmMismatch => "the certificate names two algorithms for its one signature",
        E::MaximumPathBuildCallsExceeded
        | E::MaximumSignatureChecksExceeded
        | E::MaximumPathDepthExceeded
        | E::MaximumNameConstraintComparisonsExceeded => {
            "the chain of the certificate has too many ways to its root to try all"
        }
        E::MalformedDnsIdentifier | E::MalformedNameConstraint | E::InvalidNetworkMaskConstraint => {
            "a name in the certificate, or in what an issuer may sign for, is malformed"
        }
        _ => "the certificate, or one of its chain, cannot be read: it breaks the form of RFC 5280",
    }
}

/// Signatures that browsers refuse as well, and those that the library does not know.
fn unverified(algorithm: &[u8]) -> Refusal {
    // An AlgorithmIdentifier without its outer tag: first comes the OID.
    let oid = match algorithm {
        [0x06, length, rest @ ..] => rest.get(..usize::from(*length)).unwrap_or_default(),
        _ => algorithm,
    };
    let dotted = Oid::new(oid.into()).to_id_string();
    let name = match dotted.as_str() {
        "1.2.840.113549.1.1.4" => "MD5 with RSA",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => "SHA-1 with RSA",
        "1.2.840.10045.4.1" => "SHA-1 with ECDSA",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS with unusual parameters",
        "1.2.840.10045.2.1" => "ECDSA on an unusual curve",
        "1.2.840.10040.4.1" | "1.2.840.10040.4.3" | "2.16.840.1.101.3.4.3.2" => "DSA",
        "1.3.101.113" => "Ed448",
        other => other,
    };
    Refusal::new(format!(
        "the certificate, or one of its chain, is signed in a way that is not verified: {name}"
    ))
}

/// The first RSA key that is too short.
fn small_key<'a>(certificates: impl Iterator<Item = &'a CertificateDer<'a>>) -> Option<Refusal> {
    let bits = |der: &CertificateDer<'_>| match X509Certificate::from_der(der).ok()?.1.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => Some(key.key_size()),
        _ => None,
    };
    let small = certificates.filter_map(bits).find(|bits| (1..SHORTEST_RSA).contains(bits))?;
    Some(Refusal::new(format!(
        "the certificate, or one of its chain, has an RSA key of {small} bits; {SHORTEST_RSA} is the least"
    )))
}

/// The subject of the first certificate whose dates are meant, where that is not the server's own.
fn whose(
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    is_meant: impl Fn((i64, i64)) -> bool,
) -> Option<String> {
    let meant = |der: &CertificateDer<'_>| {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let dates = certificate.validity();
        is_meant((dates.not_before.timestamp(), dates.not_after.timestamp()))
            .then(|| certificate.subject().to_string())
    };
    if meant(leaf).is_some() { None } else { others.iter().find_map(meant) }
}

/// Whether a certificate names itself as its issuer.
fn is_self_issued(leaf: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(leaf).is_ok_and(|(_, leaf)| leaf.subject().as_raw() == leaf.issuer().as_raw())
}

/// What is wrong with a certificate. Whatever rustls refuses one for is a [`Refusal`] of ours.
pub(crate) fn explain_certificate(error: &CertificateError) -> String {
    let refusal = match error {
        CertificateError::Other(other) => other.0.downcast_ref::<Refusal>(),
        _ => None,
    };
    refusal.map_or_else(|| "the certificate is not acceptable".to_owned(), Refusal::to_string)
}

fn seconds(time: UnixTime) -> i64 {
    i64::try_from(time.as_secs()).unwrap_or(i64::MAX)
}

fn date(time: UnixTime) -> String {
    DateTime::from_timestamp(seconds(time), 0).map_or("an unreadable date".to_owned(), |at| at.to_rfc3339())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate(is_own_issuer: bool) -> CertificateDer<'static> {
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        if is_own_issuer {
            return params.self_signed(&key).unwrap().der().clone();
        }
        let mut issuer = CertificateParams::new(Vec::new()).unwrap();
        issuer.distinguished_name.push(rcgen::DnType::CommonName, "somebody else");
        let issuer = rcgen::CertifiedIssuer::self_signed(issuer, KeyPair::generate().unwrap()).unwrap();
        params.signed_by(&key, &issuer).unwrap().der().clone()
    }

    #[test]
    fn a_certificate_that_names_itself_as_its_issuer_is_known() {
        assert!(is_self_issued(&certificate(true)));
        assert!(!is_self_issued(&certificate(false)));
    }

    #[test]
    fn an_algorithm_is_called_by_its_name_or_by_its_number() {
        let sha1 = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05\x05\0";
        assert!(unverified(sha1).to_string().ends_with("SHA-1 with RSA"));
        assert!(unverified(b"\x06\x03\x2b\x65\x71").to_string().ends_with("Ed448"));
        assert!(unverified(b"\x06\x03\x2a\x03\x04").to_string().ends_with("1.2.3.4"));
    }
}
