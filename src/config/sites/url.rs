//! Which URLs are accepted.

use url::Url;

use crate::config::fault::Fault;

use crate::config::quoted::quoted;
use crate::config::secret::real_url;
use crate::model::{Kind, UrlForm};
use crate::pattern;

/// As long as most servers and proxies accept.
const LONGEST_URL: usize = 8_192;

/// The URL as written: absolute, with a scheme that can be checked, and with a host.
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
    let Some(kind) = Kind::of(url) else { return Err(wrong_scheme(url, scheme)) };
    // The parser would take `https:///path` for the host "path".
    if rest.starts_with(['/', '\\']) {
        return Err(Fault::new("has no host", for_example(kind)));
    }
    if let Some(letter) = invisible(rest) {
        let message = format!("has a character in its host that nobody sees: U+{:04X}", u32::from(letter));
        return Err(Fault::new(message, "type the host anew instead of pasting it"));
    }
    if kind.url_form() == UrlForm::HostAndPort {
        refuse_more_than_a_port(scheme, rest)?;
    }
    let parsed = parse(url, kind)
        .map_err(|error| Fault::new(format!("is no valid URL: {error}"), for_example(kind)))?;
    pattern::host(&parsed)
        .map_err(|why| Fault::new(format!("has a host that is none: {why}"), for_example(kind)))?;
    real_url(url)?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let remedy =
            "leave out what stands before the @, and say it in request.basic_auth, or by --basic-auth-file";
        return Err(Fault::new("has credentials", remedy));
    }
    Ok(url.to_owned())
}

/// With the host in ASCII and in small letters, or why that is no URL.
pub(super) fn parse(url: &str, kind: Kind) -> Result<Url, String> {
    match kind.url_form() {
        UrlForm::Web => Url::parse(url).map_err(|error| error.to_string()),
        UrlForm::HostAndPort => pattern::connection(url).map_err(|error| error.to_string()),
    }
}

fn for_example(kind: Kind) -> String {
    format!("write for example \"{}\"", kind.example())
}

/// A connection goes to a host and a port, and nowhere inside of them.
fn refuse_more_than_a_port(scheme: &str, rest: &str) -> Result<(), Fault> {
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let (authority, behind) = rest.split_at(end);
    if authority.contains('@') {
        let remedy = "leave out what stands before the @; what a server is to be told goes into send";
        return Err(Fault::new("has credentials, which no connection takes", remedy));
    }
    refuse_without_port(scheme, authority)?;
    let what = match behind.chars().next() {
        None => return Ok(()),
        Some('?') => "a query",
        Some('#') => "a fragment",
        Some(_) => "a path",
    };
    let meant = quoted(&format!("{scheme}://{authority}"));
    let message = format!("has {what}, and a connection goes to a host and a port alone");
    Err(Fault::new(message, format!("did you mean {meant}?")))
}

fn refuse_without_port(scheme: &str, authority: &str) -> Result<(), Fault> {
    // An IPv6 address has colons of its own.
    let behind_address = authority.rsplit(']').next().unwrap_or_default();
    match behind_address.rsplit_once(':').map(|(_, port)| port) {
        None | Some("") => {
            let meant = quoted(&format!("{scheme}://{}:6379", authority.trim_end_matches(':')));
            let remedy = format!("write it behind the host, as in {meant}: there is no default");
            Err(Fault::new("has no port", remedy))
        }
        Some(port) if port.bytes().all(|byte| byte == b'0') => {
            Err(Fault::new("has the port 0, at which nobody listens", "write the server's port"))
        }
        Some(_) => Ok(()),
    }
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
    Fault::new(format!("has the scheme {}", quoted(scheme)), "only http, https, tcp and tls can be checked")
}
