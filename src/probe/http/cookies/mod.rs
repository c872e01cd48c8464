//! The cookies of one try, as RFC 6265 has a browser keep them (sections 5.3 and 5.4), to the byte.

mod date;
mod set_cookie;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use psl::{List, Psl as _};
use url::{Host, Url};

use self::set_cookie::SetCookie;
use crate::clock::Timestamp;

/// What was set on the way, oldest first.
#[derive(Debug, Default)]
pub(super) struct Jar {
    cookies: Vec<Cookie>,
}

#[derive(Debug, PartialEq, Eq)]
struct Cookie {
    name: Vec<u8>,
    /// `None`: it has been taken back, and so has one of ours that has its name.
    value: Option<Vec<u8>>,
    /// A name in lower case, or an address.
    domain: String,
    /// It goes to this host, and to none below.
    is_host_only: bool,
    path: Vec<u8>,
    is_secure: bool,
}

impl Jar {
    /// Keeps the cookie of a `Set-Cookie` header that came from `url`, if it is one and its host may set it.
    pub(super) fn set(&mut self, header: &[u8], url: &Url, now: Timestamp) {
        let Some(cookie) = SetCookie::parse(header).and_then(|set| Cookie::new(set, url, now)) else {
            return;
        };
        let twin = self.cookies.iter_mut().find(|known| known.is_same_as(&cookie));
        match twin {
            // It keeps its age.
            Some(twin) => *twin = cookie,
            None => self.cookies.push(cookie),
        }
    }

    /// The value of a `Cookie` header for `url`, empty where there is none: `ours`, which is configured, but for those that were set
    /// anew or taken back since, and then what was set. Longer paths first, and then the older ones.
    pub(super) fn header(&self, url: &Url, ours: Option<&str>) -> Vec<u8> {
        let mut known: Vec<&Cookie> = self.cookies.iter().filter(|cookie| cookie.goes_to(url)).collect();
        known.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let is_known = |pair: &str| {
            let name = pair.split('=').next().unwrap_or_default().trim().as_bytes();
            known.iter().any(|cookie| cookie.name == name)
        };
        let ours = ours.unwrap_or_default();
        let mut pairs: Vec<Vec<u8>> = match known.is_empty() {
            true if ours.is_empty() => Vec::new(),
            true => vec![ours.as_bytes().to_vec()],
            false => {
                let kept = ours.split(';').map(str::trim).filter(|pair| !pair.is_empty() && !is_known(pair));
                kept.map(|pair| pair.as_bytes().to_vec()).collect()
            }
        };
        let live =
            known.iter().filter_map(|cookie| Some([&cookie.name, b"=".as_slice(), cookie.value.as_ref()?]));
        pairs.extend(live.map(|parts| parts.concat()));
        pairs.join(b"; ".as_slice())
    }
}

impl Cookie {
    /// RFC 6265, section 5.3.
    fn new(set: SetCookie, url: &Url, now: Timestamp) -> Option<Self> {
        let host = host(url)?;
        let domain = set.domain.as_deref().filter(|domain| *domain != host);
        match domain {
            // Nobody may set a cookie for all customers of a registry or a provider.
            Some(domain) if is_public(domain) || !is_within(&host, domain) => return None,
            _ => {}
        }
        // A host that is such a suffix itself may set one for itself alone.
        let is_host_only = set.domain.as_deref().is_none_or(is_public);
        let is_live = set.is_live(now);
        Some(Self {
            name: set.name,
            value: is_live.then_some(set.value),
            domain: domain.map_or_else(|| host.clone(), str::to_owned),
            is_host_only,
            path: set.path.unwrap_or_else(|| default_path(url.path()).as_bytes().to_vec()),
            is_secure: set.is_secure,
        })
    }

    fn is_same_as(&self, other: &Self) -> bool {
        (&self.name, &self.domain, &self.path) == (&other.name, &other.domain, &other.path)
    }

    /// RFC 6265, section 5.4. Cookies know no ports.
    fn goes_to(&self, url: &Url) -> bool {
        let Some(host) = host(url) else { return false };
        let is_there = if self.is_host_only { host == self.domain } else { is_within(&host, &self.domain) };
        is_there && is_below(url.path().as_bytes(), &self.path) && (!self.is_secure || is_private(url))
    }
}

fn host(url: &Url) -> Option<String> {
    url.host().map(|host| match host {
        Host::Domain(name) => name.trim_end_matches('.').to_owned(),
        Host::Ipv4(ip) => ip.to_string(),
        Host::Ipv6(ip) => ip.to_string(),
    })
}

/// Section 5.1.3: the same, or a name below it.
fn is_within(host: &str, domain: &str) -> bool {
    let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    host == domain || below && host.parse::<IpAddr>().is_err()
}

/// By the list of public suffixes, its private part included. What is on no list counts by its last label, as the list says.
fn is_public(domain: &str) -> bool {
    domain.parse::<IpAddr>().is_err()
        && List.suffix(domain.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes())
}

/// Section 5.1.4.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(end) => &path[..end],
    }
}

fn is_below(path: &[u8], of: &[u8]) -> bool {
    let Some(rest) = path.strip_prefix(of) else { return false };
    rest.is_empty() || of.ends_with(b"/") || rest.starts_with(b"/")
}

/// Nobody listens: TLS, or this machine, which is as good for browsers.
fn is_private(url: &Url) -> bool {
    url.scheme() == "https"
        || match url.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
            None => false,
        }
}
