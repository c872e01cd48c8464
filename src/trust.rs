//! Whom we trust when a server shows a certificate, and what is wrong with one, as a sentence.

mod chain;
mod names;
mod refusal;
mod signature;

use std::sync::{Arc, LazyLock};

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, aws_lc_rs};

pub(crate) use chain::verify;
pub(crate) use names::{Host, listed as listed_names};
pub(crate) use refusal::{Refusal, explain_certificate};
pub(crate) use signature::{any_schemes, schemes, verify_tls12_signature, verify_tls13_signature};

/// The one crypto provider of the process: aws-lc-rs (ADR 20).
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    Arc::clone(&PROVIDER)
}

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
