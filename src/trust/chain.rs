//! From a server's certificate to an anchor that we trust: which chain is good, and which of several.

use std::cell::RefCell;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

use super::names::{self, Host};
use super::refusal::Refusal;
use super::signature;

/// Verifies what a server shows: its certificate `leaf`, and `others` that it sends along, in whatever order. `listed` are
/// certificates that somebody has given as trusted: a server may show one of them, authority or not. Without a `host`, names
/// do not count.
///
/// # Returns
/// The places in `others` of the certificates between `leaf` and its anchor. Where several chains are good it is the one that
/// expires last, because a browser goes on with that one when the others have expired.
pub(crate) fn verify(
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    (roots, listed): (&RootCertStore, &[CertificateDer<'_>]),
    host: Option<&Host>,
    now: UnixTime,
) -> Result<Vec<usize>, Refusal> {
    let links = if listed.iter().any(|known| known == leaf) {
        verify_dates(leaf, now)?;
        Vec::new()
    } else {
        best_chain(leaf, others, roots, now).map_err(|error| Refusal::of_chain(&error, leaf, others))?
    };
    match host {
        Some(host) if !names::is_for(leaf, host) => Err(Refusal::of_name(leaf, host)),
        _ => Ok(links),
    }
}

fn best_chain(
    leaf: &CertificateDer<'_>,
    others: &[CertificateDer<'_>],
    roots: &RootCertStore,
    now: UnixTime,
) -> Result<Vec<usize>, webpki::Error> {
    let server = EndEntityCert::try_from(leaf)?;
    // With one certificate beside the leaf's there is nothing to choose from.
    let own_end = if others.len() > 1 { end(leaf) } else { i64::MIN };
    let best: RefCell<Option<(i64, Vec<usize>)>> = RefCell::new(None);
    let look_on = |path: &VerifiedPath<'_>| {
        let links = links(path, others);
        let end = match others.len() {
            0 | 1 => own_end,
            _ => links.iter().map(|&at| end(&others[at])).fold(own_end, i64::min),
        };
        let mut best = best.borrow_mut();
        if best.as_ref().is_none_or(|(known, _)| end > *known) {
            *best = Some((end, links));
        }
        // No chain outlives its leaf, so this one is as good as any. The error lets the search go on.
        if end == own_end { Ok(()) } else { Err(webpki::Error::UnknownIssuer) }
    };
    let found = server.verify_for_usage(
        signature::algorithms().all,
        &roots.roots,
        others,
        now,
        KeyUsage::server_auth(),
        None,
        Some(&look_on),
    );
    let refused = found.err();
    match (best.into_inner(), refused) {
        (Some((_, links)), _) => Ok(links),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(Vec::new()),
    }
}

fn links(path: &VerifiedPath<'_>, others: &[CertificateDer<'_>]) -> Vec<usize> {
    let place = |link: CertificateDer<'_>| others.iter().position(|other| **other == *link);
    path.intermediate_certificates().filter_map(|link| place(link.der())).collect()
}

/// Seconds since 1970. What cannot be read counts as over.
fn end(certificate: &CertificateDer<'_>) -> i64 {
    X509Certificate::from_der(certificate)
        .map_or(i64::MIN, |(_, certificate)| certificate.validity().not_after.timestamp())
}

fn verify_dates(leaf: &CertificateDer<'_>, now: UnixTime) -> Result<(), Refusal> {
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| Refusal::unreadable())?;
    let validity = parsed.validity();
    let (not_before, not_after) = (moment(validity.not_before), moment(validity.not_after));
    if now < not_before {
        return Err(Refusal::not_yet(not_before));
    }
    if now > not_after {
        return Err(Refusal::expired(not_after));
    }
    Ok(())
}

/// Whatever was before 1970 is over.
fn moment(time: ASN1Time) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn a_listed_certificate_outside_of_its_dates_is_refused_with_the_date() {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 2), date_time_ymd(2021, 3, 4));
        let leaf = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone();
        let listed = [leaf.clone()];
        for (now, sentence) in
            [(1_500_000_000, "is not valid before 2020-01-02"), (1_700_000_000, "expired on 2021-03-04")]
        {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(now));

            let refused = verify(&leaf, &[], (&RootCertStore::empty(), &listed), None, now).unwrap_err();

            assert!(refused.to_string().contains(sentence), "{refused}");
        }
    }
}
