//! How a site is called: as it says, or after its URL.

use url::Position;

use super::url::parse;
use crate::config::fault::Fault;
use crate::model::Kind;

const LONGEST_NAME: usize = 200;

/// The name, trimmed: one line that is neither empty nor too long.
pub(super) fn checked(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Fault::new("is empty", "give the site a name of its own"));
    }
    if name.chars().any(char::is_control) {
        return Err(Fault::new("has a control character", "leave it out"));
    }
    let length = name.chars().count();
    if length > LONGEST_NAME {
        return Err(Fault::new(format!("has {length} characters, more than {LONGEST_NAME}"), "shorten it"));
    }
    Ok(name.to_owned())
}

/// Host and path without a slash at the end, for example `shop.example/health`; with the port where it is not the
/// scheme's own. What is no URL stays as it is. At most 200 characters.
pub fn default_name(url: &str) -> String {
    let kind = Kind::of(url).unwrap_or(Kind::Http);
    let full = match parse(url, kind) {
        Ok(parsed) if parsed.has_host() => {
            let name = &parsed[Position::BeforeHost..Position::AfterPath];
            name.trim_end_matches('/').to_owned()
        }
        _ => url.to_owned(),
    };
    full.chars().take(LONGEST_NAME).collect()
}
