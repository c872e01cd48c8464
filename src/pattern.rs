//! Regular expressions, PEM, hosts and server names as sites use them: read in one way by the validation at load and by the checks.

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use url::{Host, Url};

use crate::trust;

/// Memory of one compiled expression. Enough for every expression that a person would write, and for few that a
/// person would regret.
const REGEX_LIMIT: usize = 1 << 20;

/// Why a text is not what it should be, in words that complete "is no …".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BadPattern(String);

impl BadPattern {
    pub(crate) fn new(why: impl std::fmt::Display) -> Self {
        Self(why.to_string())
    }
}

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

/// Bytes of a label, and of a name (RFC 1035, section 2.3.4).
const LABEL: usize = 63;
const NAME: usize = 253;

/// Whether the host of `url` could be one: an address, or a name with labels of letters, digits, hyphens and underscores. URLs
/// may hold other names, such as `{{host}}`, and no name server has an answer to them.
pub(crate) fn host(url: &Url) -> Result<(), BadPattern> {
    let Some(Host::Domain(name)) = url.host() else { return Ok(()) };
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > NAME {
        return Err(BadPattern(format!("its host has {} characters, more than {NAME}", name.len())));
    }
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    for label in name.split('.') {
        let what = match label {
            "" => "is empty",
            label if label.len() > LABEL => "is longer than 63 characters",
            label if !label.chars().all(is_part) => "has a character that no host has",
            _ => continue,
        };
        let label: String = label.chars().take(LABEL).collect();
        return Err(BadPattern(format!("a label of its host {what}: {label:?}")));
    }
    Ok(())
}

/// The host of a site's URL. The URL standard knows addresses in the URLs of the web alone: in others an IPv4 address is a name.
pub(crate) fn host_of(url: &Url) -> Option<Host<&str>> {
    match url.host()? {
        Host::Domain(name) if !url.is_special() => Some(name.parse().map_or(Host::Domain(name), Host::Ipv4)),
        host => Some(host),
    }
}

/// The URL of a connection to a host and a port, with the host as it would stand in a URL of the web: in ASCII, an address as one.
pub(crate) fn connection(url: &str) -> Result<Url, BadPattern> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| BadPattern::new("it has no scheme"))?;
    let of_the_web = Url::parse(&format!("http://{rest}")).map_err(BadPattern::new)?;
    let host = of_the_web.host_str().unwrap_or_default();
    let port = of_the_web.port_or_known_default().unwrap_or_default();
    Url::parse(&format!("{scheme}://{host}:{port}")).map_err(BadPattern::new)
}

/// What breaks a line, has no width, or turns the direction of writing: nobody sees that it is there.
pub(crate) const fn is_invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
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
    fn a_host_is_an_address_or_a_name_that_could_resolve() {
        let is_host = |text: &str| host(&Url::parse(&format!("http://{text}/")).unwrap()).is_ok();
        let label = "a".repeat(63);
        let long = [label.as_str(); 4].join(".");

        for good in [
            "a",
            "a.b.",
            "a-.b",
            "-a.b",
            "_dmarc.a_b.c",
            "1.2.3.4",
            "[::1]",
            "münchen.de",
            "xn--mnchen-3ya.de",
            &label,
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "{{host}}",
            "$host",
            "a..b",
            ".a",
            "a..",
            "a,b",
            "a'b",
            "(a)",
            "a=b",
            "a~b",
            "*.a",
            &format!("{label}a"),
            &long,
        ] {
            assert!(!is_host(bad), "{bad}");
        }
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
