//! The client certificate that we show, and whether a server asks for it.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

use super::seen::Seen;

/// Notes that the server of one handshake asks for a certificate of ours: over TLS 1.3 it says only after the handshake whether the answer will do.
#[derive(Debug)]
pub(super) struct RecordingIdentity {
    identity: Arc<dyn ResolvesClientCert>,
    seen: Arc<Seen>,
}

impl RecordingIdentity {
    pub(super) fn new(identity: Arc<dyn ResolvesClientCert>, seen: Arc<Seen>) -> Self {
        Self { identity, seen }
    }
}

impl ResolvesClientCert for RecordingIdentity {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.seen.asked();
        self.identity.resolve(issuers, schemes)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.identity.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.identity.has_certs()
    }
}
