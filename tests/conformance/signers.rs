//! Servers whose certificates and signatures rcgen and rustls do not make.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{self, sign::any_supported_type};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::{Error, ServerConfig, SignatureAlgorithm, SignatureScheme, SupportedProtocolVersion};

use crate::authority::{Identity, send_and_close, serve_with};
use crate::server::{Server, answer};

/// Who has signed the files.
pub(crate) const AUTHORITY: &str = include_str!("certificates/authority.pem");

/// How a server signs, and what it says of it.
#[derive(Debug, Clone)]
pub(crate) struct Signature {
    pub(crate) said: SignatureScheme,
    /// `None`: noise.
    made: Option<(SignatureScheme, Arc<dyn SigningKey>)>,
}

impl Signature {
    /// A signature of kind `made` under another name.
    pub(crate) fn relabelled(made: SignatureScheme, key: &PrivateKeyDer<'_>, said: u16) -> Self {
        Self { said: said.into(), made: Some((made, any_supported_type(key).unwrap())) }
    }

    /// A signature that fits no key.
    pub(crate) fn noise(said: SignatureScheme) -> Self {
        Self { said, made: None }
    }
}

impl SigningKey for Signature {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&self.said).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for Signature {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match &self.made {
            Some((scheme, key)) => key.choose_scheme(&[*scheme]).unwrap().sign(message),
            None => Ok(vec![7; 64]),
        }
    }

    fn scheme(&self) -> SignatureScheme {
        self.said
    }
}

/// Serves 200 with the certificates and the key in `pem`.
pub(crate) fn serve_pem(pem: &str, versions: &[&'static SupportedProtocolVersion]) -> Server {
    serve_as(CertifiedKey::new(chain(pem), any_supported_type(&key(pem)).unwrap()), versions)
}

/// Serves 200 with `chain`, signing so.
pub(crate) fn serve_signing(
    chain: Vec<CertificateDer<'static>>,
    signature: Signature,
    versions: &[&'static SupportedProtocolVersion],
) -> Server {
    serve_as(CertifiedKey::new(chain, Arc::new(signature)), versions)
}

/// Shows the certificate of `identity` without its key.
pub(crate) fn impostor(identity: Identity, said: SignatureScheme) -> Server {
    serve_signing(identity.chain, Signature::noise(said), rustls::ALL_VERSIONS)
}

fn serve_as(identity: CertifiedKey, versions: &[&'static SupportedProtocolVersion]) -> Server {
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_protocol_versions(versions).unwrap().with_no_client_auth();
    let config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    serve_with(Arc::new(config), |stream, _| send_and_close(stream, answer("200 OK", "hello").as_bytes()))
}

pub(crate) fn chain(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().unwrap()
}

pub(crate) fn key(pem: &str) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap()
}
