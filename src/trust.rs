//! Whom we trust when a server shows a certificate, and what is wrong with one, as a sentence.

use std::time::Duration;

use chrono::DateTime;
use rustls::client::danger::ServerCertVerified;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate};

/// The system's trust anchors, or Mozilla's where the system has none, as in a bare container.
pub(crate) fn system_roots() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        log::warn!(error:%; "cannot load some of the system's trust anchors");
    }
    let mut roots = RootCertStore::empty();
    let (_added, ignored) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        log::warn!(ignored; "the system trusts nobody, using the built-in trust anchors");
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

/// Verifies a certificate that somebody has listed byte for byte as trusted, so that nobody has to vouch for it. Dates count, and
/// its name where one is given.
pub(crate) fn verify_listed(
    leaf: &CertificateDer<'_>,
    name: Option<&ServerName<'_>>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    let (_, parsed) = X509Certificate::from_der(leaf).map_err(|_| CertificateError::BadEncoding)?;
    let validity = parsed.validity();
    let (not_before, not_after) = (moment(validity.not_before), moment(validity.not_after));
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time: now, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time: now, not_after }.into());
    }
    if let Some(name) = name {
        verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
    }
    Ok(ServerCertVerified::assertion())
}

/// Whatever was before 1970 is over.
fn moment(time: ASN1Time) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or_default()))
}

/// Whether a certificate names itself as its issuer.
pub(crate) fn is_self_issued(leaf: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(leaf).is_ok_and(|(_, leaf)| leaf.subject().as_raw() == leaf.issuer().as_raw())
}

/// What webpki has no word for, unless the certificate is an authority's.
#[derive(Debug, thiserror::Error)]
#[error("it is self-signed")]
pub(crate) struct SelfSigned;

/// What is wrong with a certificate.
pub(crate) fn explain_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate expired on {}", date(*not_after))
        }
        CertificateError::Expired => "the certificate has expired".to_owned(),
        CertificateError::NotValidYet => "the certificate is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("the certificate is not valid before {}", date(*not_before))
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            format!("the certificate is not valid for {}, but for {}", plain_name(expected), list(presented))
        }
        CertificateError::UnknownIssuer => "the certificate comes from an unknown issuer".to_owned(),
        CertificateError::Revoked => "the certificate was revoked".to_owned(),
        CertificateError::BadSignature => "the certificate is not signed by its issuer".to_owned(),
        CertificateError::Other(other) if other.0.is::<SelfSigned>() => {
            "the certificate is self-signed".to_owned()
        }
        // webpki's word for an authority's certificate that its own key has signed, and that nobody was told to trust.
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

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(is_own_issuer: bool) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 2), date_time_ymd(2021, 3, 4));
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
    fn a_listed_certificate_outside_of_its_dates_is_refused_with_the_date() {
        let leaf = certificate(true);
        for (now, sentence) in
            [(1_500_000_000, "is not valid before 2020-01-02"), (1_700_000_000, "expired on 2021-03-04")]
        {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(now));

            let Err(Error::InvalidCertificate(error)) = verify_listed(&leaf, None, now) else {
                panic!("accepted")
            };

            assert!(explain_certificate(&error).contains(sentence), "{error:?}");
        }
    }

    #[test]
    fn a_certificate_that_names_itself_as_its_issuer_is_known() {
        assert!(is_self_issued(&certificate(true)));
        assert!(!is_self_issued(&certificate(false)));
    }
}
