//! Decides about the server's certificate, and notes it either way.

use std::sync::Arc;

use chrono::DateTime;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::certificate::{self, Shown};
use super::seen::Seen;
use crate::clock::Timestamp;
use crate::trust::{self, Host, Refusal};

/// Whom to believe.
#[derive(Debug)]
pub(super) enum Anchors {
    /// Whoever can show a certificate, whatever it says.
    Anybody,
    /// A server whose chain leads to one of `roots`, or whose certificate is listed itself.
    Chain { roots: RootCertStore, listed: Vec<CertificateDer<'static>> },
}

impl Anchors {
    /// Those that `roots` vouch for.
    pub(super) fn of(roots: RootCertStore) -> Result<Self, String> {
        if roots.is_empty() {
            return Err("the trust anchors: there are none".to_owned());
        }
        Ok(Self::Chain { roots, listed: Vec::new() })
    }

    /// The certificates of a CA file, each an authority, or a server's own.
    pub(super) fn listed(listed: Vec<CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore::empty();
        // One that is no authority may be a server's all the same.
        let _ = roots.add_parsable_certificates(listed.iter().cloned());
        Self::Chain { roots, listed }
    }
}

/// Notes what the server of one handshake shows, so that the result of a refused one still says it, and decides.
#[derive(Debug)]
pub(super) struct RecordingVerifier {
    anchors: Arc<Anchors>,
    /// Whom the certificate has to be for, where that is another than the handshake asks for.
    host: Option<Host>,
    seen: Arc<Seen>,
}

impl RecordingVerifier {
    pub(super) fn new(anchors: Arc<Anchors>, host: Option<Host>, seen: Arc<Seen>) -> Self {
        Self { anchors, host, seen }
    }

    /// The places in `others` of the certificates that the server is believed by.
    fn decide(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<Vec<usize>, Refusal> {
        match &*self.anchors {
            Anchors::Anybody => Ok((0..others.len()).collect()),
            Anchors::Chain { roots, listed } => {
                let host = self.host.clone().unwrap_or_else(|| Host::of(name));
                trust::verify(leaf, others, (roots, listed), Some(&host), now)
            }
        }
    }

    fn is_anybody_good(&self) -> bool {
        matches!(*self.anchors, Anchors::Anybody)
    }

    /// Of a server that is believed, the chain that it is believed by; of another, all that it sent.
    fn shown(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        decision: &Result<Vec<usize>, Refusal>,
        now: UnixTime,
    ) -> Option<Shown> {
        match decision {
            Ok(links) if !self.is_anybody_good() => {
                certificate::shown(leaf, links.iter().map(|&at| &others[at]))
            }
            _ => Some(certificate::shown(leaf, others.iter())?.without_ended_issuers(timestamp(now)?)),
        }
    }
}

fn timestamp(time: UnixTime) -> Option<Timestamp> {
    DateTime::from_timestamp(i64::try_from(time.as_secs()).ok()?, 0)
}

impl ServerCertVerifier for RecordingVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let decision = self.decide(end_entity, intermediates, server_name, now);
        self.seen.shown(self.shown(end_entity, intermediates, &decision, now));
        decision?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.is_anybody_good() {
            // Even a certificate that the library cannot read will do.
            return Ok(HandshakeSignatureValid::assertion());
        }
        trust::verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.is_anybody_good() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        trust::verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        if self.is_anybody_good() { trust::any_schemes() } else { trust::schemes() }
    }
}
