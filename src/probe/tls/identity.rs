//! The client certificate that we show, and whether a server asks for it.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

use crate::probe::trace::TRACE;

/// Notes for the try of the current task that its server asks who we are: over TLS 1.3 it says only after the handshake whether the
/// answer will do.
#[derive(Debug)]
pub(super) struct RecordingIdentity(pub(super) Arc<dyn ResolvesClientCert>);

impl ResolvesClientCert for RecordingIdentity {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        // Outside a try there is nobody to tell, and nothing is lost.
        let _ = TRACE.try_with(|trace| trace.asked());
        self.0.resolve(issuers, schemes)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.0.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.0.has_certs()
    }
}
