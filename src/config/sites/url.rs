//! Which URLs are accepted, and how a site is called after its URL.

use url::{Position, Url};

use super::super::problem::{Fault, quoted};
use super::super::secret::real_url;
use super::check::LONGEST_NAME;
use crate::pattern;

/// As long as most servers and proxies accept.
const LONGEST_URL: usize = 8_192;

/// The URL as written: absolute, `http` or `https`, with a host.
pub(super) fn checked(url: &str) -> Result<String, Fault> {
    let length = url.chars().count();
    if url.is_empty() {
        return Err(Fault::new("is empty", "write for example \"https://example.com/\""));
    }
    if length > LONGEST_URL {
        return Err(Fault::new(format!("has {length} characters, more than {LONGEST_URL}"), "shorten it"));
    }
    // The parser would drop line breaks and tabs in silence.
    if url.contains(|letter: char| letter.is_control() || letter.is_whitespace()) {
        return Err(Fault::new("has a space or control character", "leave it out, or write a space as %20"));
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(Fault::new("has no scheme", did_you_mean(url)));
    };
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(wrong_scheme(url, scheme));
    }
    // The parser would take `https:///path` for the host "path".
    if rest.starts_with(['/', '\\']) {
        return Err(Fault::new("has no host", "write for example \"https://example.com/\""));
    }
    if let Some(letter) = invisible(rest) {
        let message = format!("has a character in its host that nobody sees: U+{:04X}", u32::from(letter));
        return Err(Fault::new(message, "type the host anew instead of pasting it"));
    }
    let parsed = Url::parse(url).map_err(|error| {
        Fault::new(format!("is no valid URL: {error}"), "write for example \"https://example.com/\"")
    })?;
    pattern::host(&parsed).map_err(|why| {
        Fault::new(format!("has a host that is none: {why}"), "write for example \"https://example.com/\"")
    })?;
    real_url(url)?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let remedy =
            "leave out what stands before the @, and say it in request.basic_auth, or by --basic-auth-file";
        return Err(Fault::new("has credentials", remedy));
    }
    Ok(url.to_owned())
}

/// A character of the host, which begins `rest`, that the parser leaves out or that has no width.
fn invisible(rest: &str) -> Option<char> {
    let authority = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    String::from_utf8_lossy(&decoded(host)).chars().find(|letter| pattern::is_invisible(*letter))
}

/// Without percent-encoding, as the parser reads a host.
fn decoded(host: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), host.as_bytes());
    while let [first, behind @ ..] = rest {
        let digits = if *first == b'%' {
            host.get(host.len() - behind.len()..).and_then(|text| text.get(..2))
        } else {
            None
        };
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes
}

fn did_you_mean(url: &str) -> String {
    let rest =
        url.trim_start_matches("https:").trim_start_matches("http:").trim_start_matches(['/', '\\', ':']);
    let scheme = if url.starts_with("http:") { "http" } else { "https" };
    format!("did you mean {}?", quoted(&format!("{scheme}://{rest}")))
}

fn wrong_scheme(url: &str, scheme: &str) -> Fault {
    // "shop.example?to=https://…": the scheme is inside the query.
    if scheme.contains(['/', '?', '#', '.']) {
        return Fault::new("has no scheme", did_you_mean(url));
    }
    Fault::new(format!("has the scheme {}", quoted(scheme)), "only http and https can be checked")
}

/// Host and path without a slash at the end, for example `shop.example/health`; with the port where it is not the
/// scheme's own. What is no URL stays as it is. At most 200 characters.
pub fn default_name(url: &str) -> String {
    let full = match Url::parse(url) {
        Ok(parsed) if parsed.has_host() => {
            let name = &parsed[Position::BeforeHost..Position::AfterPath];
            name.trim_end_matches('/').to_owned()
        }
        _ => url.to_owned(),
    };
    full.chars().take(LONGEST_NAME).collect()
}
