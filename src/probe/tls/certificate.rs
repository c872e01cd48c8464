//! The facts of a certificate that a result carries.

use std::fmt::Write as _;
use std::time::Duration;

use aws_lc_rs::digest;
use chrono::DateTime;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

use crate::clock::Timestamp;
use crate::model::Certificate;
use crate::trust;

/// Names that are kept. Certificates of large hosters carry hundreds.
const NAMES: usize = 20;

/// What a server has shown.
#[derive(Debug, Clone)]
pub(in crate::probe) struct Shown {
    pub(in crate::probe) certificate: Certificate,
    /// Every certificate that the connection depends on, the server's own first.
    pub(in crate::probe) links: Vec<Link>,
}

/// A certificate of a chain, as far as its dates go.
#[derive(Debug, Clone)]
pub(in crate::probe) struct Link {
    /// Whose it is; `None` for the server's own.
    pub(in crate::probe) issuer: Option<String>,
    not_before: Timestamp,
    pub(in crate::probe) not_after: Timestamp,
}

impl Link {
    /// A third of its life, in whole minutes: those who renew by themselves have done it by then. Let's Encrypt's clients
    /// renew when a third is left, and certificates of six days have no 14 days to warn of.
    pub(in crate::probe) fn third(&self) -> Duration {
        let life = (self.not_after - self.not_before).to_std().unwrap_or_default();
        Duration::from_secs(life.as_secs() / 3 / 60 * 60)
    }
}

/// What the leaf says, and when the `chain` expires that it was judged by. `None` when the leaf cannot be read.
pub(super) fn shown<'a>(
    leaf: &CertificateDer<'_>,
    chain: impl Iterator<Item = &'a CertificateDer<'a>>,
) -> Option<Shown> {
    let fingerprint = fingerprint(leaf);
    let (_, leaf) = X509Certificate::from_der(leaf).ok()?;
    let own = link(&leaf, false)?;
    let others = chain.filter_map(|der| link(&X509Certificate::from_der(der).ok()?.1, true));
    let links: Vec<Link> = std::iter::once(own.clone()).chain(others).collect();
    let certificate = Certificate {
        not_before: own.not_before,
        not_after: own.not_after,
        subject: leaf.subject().to_string(),
        issuer: leaf.issuer().to_string(),
        chain_not_after: links.iter().map(|link| link.not_after).fold(own.not_after, Timestamp::min),
        names: trust::listed_names(&leaf, NAMES),
        fingerprint,
    };
    Some(Shown { certificate, links })
}

impl Shown {
    /// Forgets the links but the first that are over at `now`. Where no chain was verified, an old one that was sent along for
    /// older clients says nothing.
    pub(super) fn without_ended_issuers(mut self, now: Timestamp) -> Self {
        self.links.retain(|link| link.issuer.is_none() || link.not_after > now);
        self
    }
}

fn link(certificate: &X509Certificate<'_>, is_issuer: bool) -> Option<Link> {
    Some(Link {
        issuer: is_issuer.then(|| certificate.subject().to_string()),
        not_before: timestamp(certificate.validity().not_before)?,
        not_after: timestamp(certificate.validity().not_after)?,
    })
}

fn fingerprint(der: &CertificateDer<'_>) -> String {
    let digest = digest::digest(&digest::SHA256, der);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn timestamp(time: ASN1Time) -> Option<Timestamp> {
    DateTime::from_timestamp(time.timestamp(), 0)
}
