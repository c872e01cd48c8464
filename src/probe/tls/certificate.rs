//! The facts of a certificate that a result carries.

use chrono::DateTime;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

use crate::clock::Timestamp;
use crate::model::Certificate;

/// What the leaf says, and the earliest expiry in the chain. `None` when the leaf cannot be read.
pub(super) fn facts(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Option<Certificate> {
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let not_after = timestamp(leaf.validity().not_after)?;
    let chain_not_after = others.iter().filter_map(expiry).fold(not_after, Timestamp::min);
    Some(Certificate {
        not_before: timestamp(leaf.validity().not_before)?,
        not_after,
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        chain_not_after,
    })
}

fn expiry(der: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    timestamp(certificate.validity().not_after)
}

fn timestamp(time: ASN1Time) -> Option<Timestamp> {
    DateTime::from_timestamp(time.timestamp(), 0)
}
