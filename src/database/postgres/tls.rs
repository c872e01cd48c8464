//! TLS to the database: as much of the certificate is verified as `sslmode` asks for.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::trouble::Trouble;
use crate::failure::chain;
use crate::trust::{self, Host};

/// How much of the server's certificate has to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verify {
    /// `require` and less: encrypted, and who the server is we do not ask.
    Nothing,
    /// `verify-ca`.
    Issuer,
    /// `verify-full`.
    IssuerAndName,
}

/// A connector that trusts the certificates in `ca_file`, or those of the system. Where a file is given, it is used: as with
/// libpq `require` then means `verify-ca`.
pub(super) fn connector(verify: Verify, ca_file: Option<&Path>) -> Result<MakeRustlsConnect, Trouble> {
    let verify = if verify == Verify::Nothing && ca_file.is_some() { Verify::Issuer } else { verify };
    let verifier: Arc<dyn ServerCertVerifier> = match verify {
        Verify::Nothing => Arc::new(Anybody),
        Verify::Issuer | Verify::IssuerAndName => Arc::new(Known::new(verify, ca_file)?),
    };
    let config = ClientConfig::builder_with_provider(trust::provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable("the TLS versions", &error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn unusable(what: &str, error: &(dyn std::error::Error + 'static)) -> Trouble {
    Trouble::Refused {
        message: format!("cannot use {what}: {}", chain(error)),
        remedy: "give the PEM file of the CA that issued the server's certificate (database.ca_file or sslrootcert)"
            .to_owned(),
    }
}

/// Certificates of the file.
fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(useless(file, "it has no certificate")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unusable(&format!("the CA file {}", file.display()), &error)),
    }
}

fn useless(file: &Path, why: &str) -> Trouble {
    unusable(&format!("the CA file {}", file.display()), &std::io::Error::other(why))
}

/// Servers whose certificate comes from somebody that we trust.
#[derive(Debug)]
struct Known {
    roots: RootCertStore,
    /// Certificates of the file. The server's own may be among them; usually it is self-signed, and marked as a CA, which a
    /// chain must not end with.
    listed: Vec<CertificateDer<'static>>,
    name_counts: bool,
}

impl Known {
    fn new(verify: Verify, ca_file: Option<&Path>) -> Result<Self, Trouble> {
        let name_counts = verify == Verify::IssuerAndName;
        let Some(file) = ca_file else {
            return Ok(Self { roots: trust::system_roots(), listed: Vec::new(), name_counts });
        };
        let listed = read(file)?;
        let mut roots = RootCertStore::empty();
        let (usable, _broken) = roots.add_parsable_certificates(listed.iter().cloned());
        if usable == 0 {
            return Err(useless(file, "what it calls a certificate is none"));
        }
        Ok(Self { roots, listed, name_counts })
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let host = self.name_counts.then(|| Host::of(name));
        trust::verify(leaf, others, (&self.roots, &self.listed), host.as_ref(), now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        trust::verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        trust::verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        trust::schemes()
    }
}

/// Any server, as long as it holds the key of the certificate that it shows.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        trust::verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        trust::verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        trust::schemes()
    }
}
