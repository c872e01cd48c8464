//! Which hosts a certificate is for (RFC 9525), read entry by entry: the right name counts, whatever stands beside it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustls::pki_types::{CertificateDer, ServerName};
use x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// Tags of RFC 5280, section 4.2.1.6.
const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;
const SEQUENCE: u8 = 0x30;

/// Characters of a name, RFC 1035, section 2.3.4. What is longer is no name, and is cut.
const LONGEST: usize = 255;

/// Whom we want to speak to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// In ASCII, without a dot at its end.
    Name(String),
    /// An address literal.
    Address(IpAddr),
}

impl Host {
    /// What the handshake was told.
    pub(crate) fn of(name: &ServerName<'_>) -> Self {
        match name {
            ServerName::IpAddress(ip) => Self::Address((*ip).into()),
            other => Self::Name(other.to_str().into_owned()),
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(ip) => ip.fmt(f),
        }
    }
}

/// Whether `leaf` says that it is for `host`. webpki is asked first, because it needs a tenth of the time; it stops at the first
/// entry that it cannot read, and has no words for some hosts.
pub(super) fn is_for(leaf: &CertificateDer<'_>, host: &Host) -> bool {
    is_for_by_webpki(leaf, host).unwrap_or_default()
        || X509Certificate::from_der(leaf).is_ok_and(|(_, leaf)| {
            entries(&leaf).is_some_and(|mut entries| entries.any(|(tag, value)| matches(tag, value, host)))
        })
}

fn is_for_by_webpki(leaf: &CertificateDer<'_>, host: &Host) -> Option<bool> {
    let name = match host {
        Host::Name(name) => ServerName::try_from(name.as_str()).ok()?,
        Host::Address(ip) => ServerName::from(*ip),
    };
    Some(webpki::EndEntityCert::try_from(leaf).ok()?.verify_is_valid_for_subject_name(&name).is_ok())
}

/// The names and addresses in `leaf`, at most `most`, fit for a sentence. One that is no text is left out.
pub(crate) fn listed(leaf: &X509Certificate<'_>, most: usize) -> Vec<String> {
    let entries = entries(leaf).into_iter().flatten();
    entries.filter_map(|(tag, value)| text(tag, value)).take(most).collect()
}

fn entries<'a>(leaf: &X509Certificate<'a>) -> Option<Entries<'a>> {
    let extension =
        leaf.extensions().iter().find(|extension| extension.oid == OID_X509_EXT_SUBJECT_ALT_NAME)?;
    match element(extension.value)? {
        (SEQUENCE, entries, _) => Some(Entries(entries)),
        _ => None,
    }
}

/// The entries of a list of names, up to the first that has no end.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, value, rest) = element(self.0)?;
        self.0 = rest;
        Some((tag, value))
    }
}

/// The DER element at the start of `der`: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match usize::from(first) {
        short @ 0..=0x7f => (short, rest),
        long @ 0x81..=0x83 => {
            let (octets, rest) = rest.split_at_checked(long - 0x80)?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (value, rest) = rest.split_at_checked(length)?;
    Some((tag, value, rest))
}

fn matches(tag: u8, value: &[u8], host: &Host) -> bool {
    match (tag, host) {
        (DNS_NAME, Host::Name(name)) => is_name(value, name),
        (IP_ADDRESS, Host::Address(wanted)) => address(value) == Some(*wanted),
        _ => false,
    }
}

/// RFC 9525, section 6.3: in any case; `*` for one whole label, the first. Two labels at least must follow it, as browsers want
/// it, so that nobody has a certificate for a whole top-level domain.
fn is_name(presented: &[u8], name: &str) -> bool {
    if presented.eq_ignore_ascii_case(name.as_bytes()) {
        return true;
    }
    let (Some(parent), Some((label, rest))) = (presented.strip_prefix(b"*."), name.split_once('.')) else {
        return false;
    };
    !label.is_empty() && parent.contains(&b'.') && parent.eq_ignore_ascii_case(rest.as_bytes())
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(octets).map(|octets| Ipv4Addr::from(octets).into());
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(|octets| Ipv6Addr::from(octets).into())).ok()
}

fn text(tag: u8, value: &[u8]) -> Option<String> {
    match tag {
        DNS_NAME => Some(std::str::from_utf8(value).ok()?.escape_debug().take(LONGEST).collect()),
        IP_ADDRESS => address(value).map(|ip| ip.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_matched_whole_or_by_a_star_for_its_first_label() {
        for (presented, name) in [
            ("shop.test", "shop.test"),
            ("SHOP.test", "shop.TEST"),
            ("*.shop.test", "www.shop.test"),
            ("*.Shop.test", "a-.sHop.test"),
            ("*.shop.test", "a_b.shop.test"),
        ] {
            assert!(is_name(presented.as_bytes(), name), "{presented} is for {name}");
        }
        for (presented, name) in [
            ("shop.test", "www.shop.test"),
            ("*.shop.test", "shop.test"),
            ("*.shop.test", "a.b.shop.test"),
            ("*.shop.test", ".shop.test"),
            ("*.test", "shop.test"),
            ("*", "test"),
            ("w*.shop.test", "www.shop.test"),
            ("www.*.test", "www.shop.test"),
            ("shop.test\0.evil.test", "shop.test"),
            ("shop.test.", "shop.test"),
            ("", "shop.test"),
        ] {
            assert!(!is_name(presented.as_bytes(), name), "{presented} is not for {name}");
        }
    }

    #[test]
    fn an_element_that_promises_more_than_there_is_ends_the_list() {
        let entries =
            |der: &'static [u8]| Entries(der).map(|(tag, value)| (tag, value.len())).collect::<Vec<_>>();

        assert_eq!(entries(b"\x82\x01a\x87\x04\x7f\0\0\x01"), [(0x82, 1), (0x87, 4)]);
        assert_eq!(entries(b"\x82\x01a\x82\x05bc"), [(0x82, 1)]);
        assert_eq!(entries(b"\x82\x81\x01a\x82\x82\0\x01b"), [(0x82, 1), (0x82, 1)]);
        assert_eq!(entries(b"\x82\x80a"), []);
        assert_eq!(entries(b"\x82"), []);
    }
}
