//! The facts of a certificate that a result carries.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::DateTime;
use ring::digest;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{ASN1Time, FromDer as _, GeneralName, X509Certificate};

use crate::clock::Timestamp;
use crate::model::Certificate;

/// Names that are kept. Certificates of large hosters carry hundreds.
const NAMES: usize = 20;

/// What the leaf says, and the earliest expiry in the chain. `None` when the leaf cannot be read.
pub(super) fn facts(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Option<Certificate> {
    let fingerprint = fingerprint(leaf);
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let not_after = timestamp(leaf.validity().not_after)?;
    let chain_not_after = others.iter().filter_map(expiry).fold(not_after, Timestamp::min);
    Some(Certificate {
        not_before: timestamp(leaf.validity().not_before)?,
        not_after,
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        chain_not_after,
        names: names(&leaf),
        fingerprint,
    })
}

fn fingerprint(der: &CertificateDer<'_>) -> String {
    let digest = digest::digest(&digest::SHA256, der);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The names and addresses of the extension, which alone count (RFC 9110, section 4.3.4).
fn names(leaf: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = leaf.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().filter_map(name).take(NAMES).collect()
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => address(octets).map(|ip| ip.to_string()),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).into());
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).into())).ok()
}

fn expiry(der: &CertificateDer<'_>) -> Option<Timestamp> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    timestamp(certificate.validity().not_after)
}

fn timestamp(time: ASN1Time) -> Option<Timestamp> {
    DateTime::from_timestamp(time.timestamp(), 0)
}
