//! Regular expressions, JSON paths, PEM and server names as sites use them: read in one way by the validation at load and by the checks.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use serde_json_path::JsonPath;

use crate::trust;

/// Memory of one compiled expression. Enough for every expression that a person would write, and for few that a
/// person would regret.
const REGEX_LIMIT: usize = 1 << 20;

/// Why a text is not what it should be, in words that complete "is no …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadPattern(String);

/// An expression in the syntax of the crate `regex`, which takes time linear in the text that it searches.
pub(crate) fn regex(pattern: &str) -> Result<regex::Regex, BadPattern> {
    let built = regex::RegexBuilder::new(pattern).size_limit(REGEX_LIMIT).dfa_size_limit(REGEX_LIMIT).build();
    // The crate's error draws the pattern over several lines; its last line says what is wrong.
    built.map_err(|error| {
        BadPattern(
            error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        )
    })
}

/// A path of RFC 9535.
pub(crate) fn json_path(path: &str) -> Result<JsonPath, BadPattern> {
    JsonPath::parse(path).map_err(|error| BadPattern(error.to_string()))
}

/// The certificates in a PEM text, at least one.
pub(crate) fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>, BadPattern> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(BadPattern("it holds no certificate".to_owned())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(BadPattern(error.to_string())),
    }
}

/// The first private key in a PEM text, not encrypted.
pub(crate) fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, BadPattern> {
    if pem.contains("ENCRYPTED") {
        return Err(BadPattern(
            "the key is encrypted; remove its passphrase, for example with `openssl pkey`".to_owned(),
        ));
    }
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|error| BadPattern(error.to_string()))
}

/// Whether a client can show this certificate with this key, both in PEM.
pub(crate) fn client_identity(certificate: &str, key: &str) -> Result<(), BadPattern> {
    let (chain, key) = (certificates(certificate)?, private_key(key)?);
    let identity = CertifiedKey::from_der(chain, key, &trust::provider());
    identity.map(|_| ()).map_err(|error| {
        BadPattern(match error {
            rustls::Error::InconsistentKeys(_) => "the key is another certificate's".to_owned(),
            other => other.to_string(),
        })
    })
}

/// A host name or an address, as a certificate can be valid for.
pub(crate) fn server_name(name: &str) -> Result<ServerName<'static>, BadPattern> {
    ServerName::try_from(name.to_owned()).map_err(|error| BadPattern(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_expression_is_explained_on_one_line() {
        for pattern in ["(", "[a-", "a{2,1}", "(?P<n>", "\\p{Nope}", "a{1000}{1000}{1000}"] {
            let error = regex(pattern).unwrap_err().to_string();
            assert!(!error.is_empty() && !error.contains('\n'), "{pattern:?}: {error:?}");
        }
        assert!(regex("^ok$").unwrap().is_match("ok"));
    }

    #[test]
    fn a_bad_path_is_explained() {
        for path in ["", "status", "$.", "$[", "$..[?"] {
            assert!(!json_path(path).unwrap_err().to_string().is_empty(), "{path:?}");
        }
        assert!(json_path("$.items[?@.ok == true].name").is_ok());
    }

    #[test]
    fn a_text_without_certificate_or_key_is_refused() {
        assert!(certificates("hello").is_err());
        assert!(private_key("hello").is_err());
        assert!(
            private_key("-----BEGIN ENCRYPTED PRIVATE KEY-----")
                .unwrap_err()
                .to_string()
                .contains("passphrase")
        );
    }
}
