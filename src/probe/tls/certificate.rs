//! The facts of a certificate that a result carries.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use chrono::DateTime;
use ring::digest;
use rustls::pki_types::{CertificateDer, UnixTime};
use x509_parser::prelude::{ASN1Time, FromDer as _, GeneralName, X509Certificate};

use crate::clock::Timestamp;
use crate::model::Certificate;

/// Names that are kept. Certificates of large hosters carry hundreds.
const NAMES: usize = 20;

/// What a server has shown.
#[derive(Debug, Clone)]
pub(in crate::probe) struct Shown {
    pub(in crate::probe) certificate: Certificate,
    /// The earliest expiry that is still to come, or the leaf's. An authority that has expired already stands in no chain
    /// that is valid: servers go on sending it, for clients that are older still.
    pub(in crate::probe) expires: Timestamp,
}

/// What the leaf says, and the earliest expiry in the chain. `None` when the leaf cannot be read.
pub(super) fn shown(
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    now: UnixTime,
) -> Option<Shown> {
    let fingerprint = fingerprint(leaf);
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let not_after = timestamp(leaf.validity().not_after)?;
    let now = DateTime::from_timestamp(i64::try_from(now.as_secs()).ok()?, 0)?;
    let others: Vec<Timestamp> = others.iter().filter_map(expiry).collect();
    let to_come = others.iter().copied().filter(|expiry| *expiry > now);
    let certificate = Certificate {
        not_before: timestamp(leaf.validity().not_before)?,
        not_after,
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        chain_not_after: others.iter().copied().fold(not_after, Timestamp::min),
        names: names(&leaf),
        fingerprint,
    };
    Some(Shown { certificate, expires: to_come.fold(not_after, Timestamp::min) })
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
