//! A `Set-Cookie` header (RFC 6265, section 5.2).

use url::Host;

use super::date;
use crate::clock::Timestamp;

/// What it says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SetCookie {
    pub(super) name: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// `None`: with the session.
    pub(super) expires: Option<Timestamp>,
    /// In seconds. It counts more than a date.
    pub(super) max_age: Option<i64>,
    /// In lower case, without a dot before it. An empty text is no host's.
    pub(super) domain: Option<String>,
    pub(super) path: Option<Vec<u8>>,
    pub(super) is_secure: bool,
}

impl SetCookie {
    /// `None` where there is no name.
    pub(super) fn parse(header: &[u8]) -> Option<Self> {
        let mut parts = header.split(|byte| *byte == b';');
        let pair = parts.next()?;
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        if name.is_empty() {
            return None;
        }
        let mut set = Self { name: name.to_vec(), value: value.to_vec(), ..Self::default() };
        for attribute in parts {
            let equals = attribute.iter().position(|byte| *byte == b'=').unwrap_or(attribute.len());
            let value = attribute.get(equals + 1..).unwrap_or_default().trim_ascii();
            match attribute[..equals].trim_ascii().to_ascii_lowercase().as_slice() {
                b"expires" => set.expires = date::parse(value).or(set.expires),
                b"max-age" => set.max_age = seconds(value).or(set.max_age),
                b"domain" => set.domain = domain(value).or(set.domain),
                b"path" => set.path = value.starts_with(b"/").then(|| value.to_vec()),
                b"secure" => set.is_secure = true,
                _ => {}
            }
        }
        Some(set)
    }

    /// Whether it is good at `now`, when it has come.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        match self.max_age {
            Some(seconds) => seconds > 0,
            None => self.expires.is_none_or(|expires| expires > now),
        }
    }
}

/// Section 5.2.2: digits, and a minus before them or none. Everything else is not said.
fn seconds(value: &[u8]) -> Option<i64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let text = std::str::from_utf8(value).ok()?;
    Some(text.parse().unwrap_or(if text.starts_with('-') { i64::MIN } else { i64::MAX }))
}

/// An empty one is not said (section 5.2.3); one that no host can have is kept, for no host may set it.
fn domain(value: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(value.strip_prefix(b".").unwrap_or(value));
    if text.is_empty() {
        return None;
    }
    Some(match Host::parse(&text) {
        Ok(Host::Domain(name)) => name,
        Ok(Host::Ipv4(ip)) => ip.to_string(),
        Ok(Host::Ipv6(ip)) => ip.to_string(),
        Err(_) => text.to_ascii_lowercase(),
    })
}
