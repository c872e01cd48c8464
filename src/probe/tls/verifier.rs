//! Notes the server's certificate, then decides.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme};

use super::certificate;
use crate::probe::trace::TRACE;
use crate::trust::{SelfSigned, is_self_issued, verify_listed};

/// Whom to believe.
#[derive(Debug)]
pub(super) enum Anchors {
    /// Whoever can show a certificate, whatever it says.
    Anybody,
    /// A server whose chain leads to an anchor of the verifier, or whose certificate is listed itself.
    Chain { verifier: Option<Arc<WebPkiServerVerifier>>, listed: Vec<CertificateDer<'static>> },
}

impl Anchors {
    pub(super) fn anybody() -> Self {
        Self::Anybody
    }

    /// The certificates of a CA file, each an authority, or a server's own.
    pub(super) fn listed(
        listed: Vec<CertificateDer<'static>>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(listed.iter().cloned());
        if usable == 0 {
            return Ok(Self::Chain { verifier: None, listed });
        }
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
        let verifier = verifier.map_err(|error| format!("the CA file: {error}"))?;
        Ok(Self::Chain { verifier: Some(verifier), listed })
    }
}

/// Records first and verifies second, so that the result of a refused handshake still says what the server showed.
/// One verifier serves many checks: what it finds goes to the try of the current task.
#[derive(Debug)]
pub(super) struct RecordingVerifier {
    anchors: Anchors,
    algorithms: WebPkiSupportedAlgorithms,
}

impl RecordingVerifier {
    pub(super) fn new(anchors: Anchors, provider: &CryptoProvider) -> Self {
        Self { anchors, algorithms: provider.signature_verification_algorithms }
    }

    fn decide(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.anchors {
            Anchors::Anybody => Ok(ServerCertVerified::assertion()),
            Anchors::Chain { listed, .. } if listed.iter().any(|known| known == leaf) => {
                verify_listed(leaf, Some(name), now)
            }
            Anchors::Chain { verifier: Some(verifier), .. } => verifier
                .verify_server_cert(leaf, chain, name, ocsp, now)
                .map_err(|error| if error == UNKNOWN { unknown(leaf) } else { error }),
            Anchors::Chain { verifier: None, .. } => Err(unknown(leaf)),
        }
    }
}

const UNKNOWN: Error = Error::InvalidCertificate(CertificateError::UnknownIssuer);

/// Nobody is known who could have issued `leaf`, and where that is its own owner, a person wants to hear so.
fn unknown(leaf: &CertificateDer<'_>) -> Error {
    if is_self_issued(leaf) {
        CertificateError::Other(OtherError(Arc::new(SelfSigned))).into()
    } else {
        UNKNOWN
    }
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // Outside a try there is nobody to tell, and nothing is lost.
        let _ = TRACE.try_with(|trace| trace.certified(certificate::shown(end_entity, intermediates, now)));
        self.decide(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.anchors {
            // Even a certificate that the library cannot read will do.
            Anchors::Anybody => Ok(HandshakeSignatureValid::assertion()),
            Anchors::Chain { .. } => verify_tls12_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match self.anchors {
            Anchors::Anybody => Ok(HandshakeSignatureValid::assertion()),
            Anchors::Chain { .. } => verify_tls13_signature(message, cert, dss, &self.algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
