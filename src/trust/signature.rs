//! Which signatures of servers and authorities are verified, and how.
//!
//! All that aws-lc-rs and rustls have, and RSA keys that say of themselves that they are for RSASSA-PSS alone (RFC 4055), which
//! webpki could verify and has no entry for.

use std::sync::LazyLock;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use webpki::EndEntityCert;
use webpki::aws_lc_rs as library;

use super::refusal::Refusal;

/// RSASSA-PSS without parameters: a key that goes with any hash.
const ANY_HASH: AlgorithmIdentifier =
    AlgorithmIdentifier::from_slice(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a");

/// `rsa_pss_pss_sha256` and its siblings, RFC 8446, section 4.2.3. For them rustls has no names.
const PSS_KEYS: [(SignatureScheme, &[&dyn SignatureVerificationAlgorithm]); 3] = [
    (SignatureScheme::Unknown(0x0809), &[&PSS_SHA256[0], &PSS_SHA256[1]]),
    (SignatureScheme::Unknown(0x080a), &[&PSS_SHA384[0], &PSS_SHA384[1]]),
    (SignatureScheme::Unknown(0x080b), &[&PSS_SHA512[0], &PSS_SHA512[1]]),
];

static PSS_SHA256: [PssKey; 2] =
    PssKey::with(&library::RSA_PSS_2048_8192_SHA256_LEGACY_KEY, alg_id::RSA_PSS_SHA256);
static PSS_SHA384: [PssKey; 2] =
    PssKey::with(&library::RSA_PSS_2048_8192_SHA384_LEGACY_KEY, alg_id::RSA_PSS_SHA384);
static PSS_SHA512: [PssKey; 2] =
    PssKey::with(&library::RSA_PSS_2048_8192_SHA512_LEGACY_KEY, alg_id::RSA_PSS_SHA512);

/// What is not verified, and may be offered where a certificate need not be: SHA-1, Ed448 and Brainpool's curves (RFC 8734).
const UNVERIFIED: [SignatureScheme; 6] = [
    SignatureScheme::ED448,
    SignatureScheme::Unknown(0x081a),
    SignatureScheme::Unknown(0x081b),
    SignatureScheme::Unknown(0x081c),
    SignatureScheme::ECDSA_SHA1_Legacy,
    SignatureScheme::RSA_PKCS1_SHA1,
];

/// RSASSA-PSS by a key that is for nothing else. The signature is that of any RSA key; only the label of the key differs.
#[derive(Debug)]
struct PssKey {
    label: AlgorithmIdentifier,
    hash: AlgorithmIdentifier,
    /// The same for keys for everything.
    verifier: &'static &'static dyn SignatureVerificationAlgorithm,
}

impl PssKey {
    /// For keys of any hash, and for those of `hash` alone.
    const fn with(
        verifier: &'static &'static dyn SignatureVerificationAlgorithm,
        hash: AlgorithmIdentifier,
    ) -> [Self; 2] {
        [Self { label: ANY_HASH, hash, verifier }, Self { label: hash, hash, verifier }]
    }
}

impl SignatureVerificationAlgorithm for PssKey {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        self.verifier.verify_signature(key, message, signature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.label
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.hash
    }
}

/// What chains and handshakes are verified with.
pub(super) fn algorithms() -> &'static WebPkiSupportedAlgorithms {
    static ALGORITHMS: LazyLock<WebPkiSupportedAlgorithms> = LazyLock::new(|| {
        let known = super::provider().signature_verification_algorithms;
        let pss = PSS_KEYS.iter().flat_map(|(_, algorithms)| algorithms.iter().copied());
        // Made once, and needed for as long as the process lives.
        WebPkiSupportedAlgorithms {
            all: known.all.iter().copied().chain(pss).collect::<Vec<_>>().leak(),
            mapping: known.mapping.iter().copied().chain(PSS_KEYS).collect::<Vec<_>>().leak(),
        }
    });
    &ALGORITHMS
}

/// Offered to servers.
pub(crate) fn schemes() -> Vec<SignatureScheme> {
    algorithms().supported_schemes()
}

/// Offered to servers whose certificate need not be good.
pub(crate) fn any_schemes() -> Vec<SignatureScheme> {
    schemes().into_iter().chain(UNVERIFIED).collect()
}

/// Whether the server holds the key of its certificate, in TLS 1.2.
pub(crate) fn verify_tls12_signature(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let verified = rustls::crypto::verify_tls12_signature(message, leaf, signed, algorithms());
    verified.map_err(|error| explained(error, leaf))
}

/// Whether the server holds the key of its certificate, in TLS 1.3.
pub(crate) fn verify_tls13_signature(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    if let Some((_, algorithms)) = PSS_KEYS.iter().find(|(scheme, _)| *scheme == signed.scheme) {
        return verify_pss(message, leaf, signed, algorithms);
    }
    let verified = rustls::crypto::verify_tls13_signature(message, leaf, signed, algorithms());
    verified.map_err(|error| explained(error, leaf))
}

/// rustls tries the first algorithm of a scheme only, and a key may be labelled in two ways.
fn verify_pss(
    message: &[u8],
    leaf: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> Result<HandshakeSignatureValid, Error> {
    let server = EndEntityCert::try_from(leaf).map_err(|error| Refusal::of_chain(&error, leaf, &[]))?;
    let is_valid = |algorithm: &&dyn SignatureVerificationAlgorithm| {
        server.verify_signature(*algorithm, message, signed.signature()).is_ok()
    };
    if algorithms.iter().any(is_valid) {
        return Ok(HandshakeSignatureValid::assertion());
    }
    Err(Refusal::of_handshake(leaf).into())
}

fn explained(error: Error, leaf: &CertificateDer<'_>) -> Error {
    match error {
        Error::InvalidCertificate(_) => Refusal::of_handshake(leaf).into(),
        other => other,
    }
}
