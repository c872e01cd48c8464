//! What a handshake sees of the server, noted while it lasts: it may fail, or a timeout may end it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::certificate::Shown;

/// One handshake. rustls calls our verifier from inside, so what that sees goes out this way.
#[derive(Debug, Default)]
pub(in crate::probe) struct Seen {
    certificate: OnceLock<Option<Shown>>,
    was_asked: AtomicBool,
}

impl Seen {
    /// What the server has shown, as far as that could be read.
    pub(in crate::probe) fn certificate(&self) -> Option<&Shown> {
        self.certificate.get()?.as_ref()
    }

    /// Whether the server has asked who we are.
    pub(in crate::probe) fn was_asked(&self) -> bool {
        self.was_asked.load(Ordering::Relaxed)
    }

    /// A handshake shows one certificate; a second one would be of another.
    pub(super) fn shown(&self, certificate: Option<Shown>) {
        let _ = self.certificate.set(certificate);
    }

    pub(super) fn asked(&self) {
        self.was_asked.store(true, Ordering::Relaxed);
    }
}
