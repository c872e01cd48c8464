//! Whom we trust when a server shows a certificate, and what is wrong with one, as a sentence.

use chrono::DateTime;
use rustls::client::danger::ServerCertVerified;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};
use x509_parser::prelude::{FromDer as _, X509Certificate};

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
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < parsed.validity().not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > parsed.validity().not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    if let Some(name) = name {
        verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
    }
    Ok(ServerCertVerified::assertion())
}

/// What is wrong with a certificate.
pub(crate) fn explain_certificate(error: &CertificateError) -> String {
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
