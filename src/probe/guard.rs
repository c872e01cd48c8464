//! The target guard: addresses that no check may connect to, whoever configured the site and whatever its name resolves to.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Denied addresses. An IPv6 address that carries an IPv4 address (mapped, NAT64, 6to4) is judged as both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guard {
    rules: Vec<Rule>,
}

/// An entry of `deny_targets` that is neither a known word, nor an address, nor a CIDR.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("understand {entry:?} in deny_targets: use a CIDR such as 10.0.0.0/8, or one of {}", Word::list())]
pub struct GuardError {
    /// As configured.
    pub entry: String,
}

impl Guard {
    /// Reads the entries of `deny_targets`. The words are `loopback`, `private`, `link-local` (with the clouds' metadata
    /// services, wherever they are), `multicast`, `unspecified` and `non-public`, which stands for everything that is not
    /// globally reachable.
    pub fn parse(entries: &[String]) -> Result<Self, GuardError> {
        let rules = entries.iter().map(|entry| entry.parse()).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// The rule that forbids `ip`, as it was configured.
    pub fn denies(&self, ip: IpAddr) -> Option<String> {
        let carried = match ip {
            IpAddr::V4(_) => None,
            IpAddr::V6(v6) => carried(v6).map(IpAddr::V4),
        };
        let denied = |rule: &&Rule| rule.covers(ip) || carried.is_some_and(|v4| rule.covers(v4));
        self.rules.iter().find(denied).map(Rule::to_string)
    }
}

/// The IPv4 address that a packet to `v6` ends up at: `::ffff:a.b.c.d`, `64:ff9b::a.b.c.d`, or `2002:aabb:ccdd::`.
fn carried(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let from = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => Some(from(g, h)),
        [0x2002, ..] => Some(from(b, c)),
        _ => None,
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Word(Word),
    Net(Net),
}

impl Rule {
    fn covers(&self, ip: IpAddr) -> bool {
        match self {
            Rule::Word(word) => word.covers(ip),
            Rule::Net(net) => net.covers(ip),
        }
    }
}

impl FromStr for Rule {
    type Err = GuardError;

    fn from_str(entry: &str) -> Result<Self, GuardError> {
        let word = Word::ALL.iter().find(|word| word.as_str() == entry).copied().map(Rule::Word);
        word.or_else(|| Net::parse(entry).map(Rule::Net))
            .ok_or_else(|| GuardError { entry: entry.to_owned() })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Word(word) => f.write_str(word.as_str()),
            Rule::Net(net) => write!(f, "{}/{}", net.base, net.prefix),
        }
    }
}

/// A CIDR. A mapped one (`::ffff:10.0.0.0/104`) is kept as the IPv4 net it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Net {
    base: IpAddr,
    prefix: u8,
}

impl Net {
    fn parse(text: &str) -> Option<Self> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base.parse::<IpAddr>().ok()?, Some(prefix.parse::<u8>().ok()?)),
            None => (text.parse::<IpAddr>().ok()?, None),
        };
        let bits = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then(|| Self { base, prefix }.unmapped())
    }

    fn unmapped(self) -> Self {
        match self.base.to_canonical() {
            base @ IpAddr::V4(_) if self.base.is_ipv6() && self.prefix >= 96 => {
                Self { base, prefix: self.prefix - 96 }
            }
            _ => self,
        }
    }

    fn covers(&self, ip: IpAddr) -> bool {
        let differing = match (self.base, ip) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => (base.to_bits() ^ ip.to_bits()).leading_zeros(),
            (IpAddr::V6(base), IpAddr::V6(ip)) => (base.to_bits() ^ ip.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= u32::from(self.prefix)
    }
}

/// Where clouds keep a machine's credentials when that is not at the link-local 169.254.169.254: Alibaba's, and Azure's wire
/// server, which hands out certificates and extension settings.
const METADATA_V4: [Ipv4Addr; 2] = [Ipv4Addr::new(100, 100, 100, 200), Ipv4Addr::new(168, 63, 129, 16)];

/// Amazon's, Google's and Oracle's over IPv6.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Loopback,
    Private,
    LinkLocal,
    Multicast,
    Unspecified,
    NonPublic,
}

impl Word {
    const ALL: [Word; 6] =
        [Word::Loopback, Word::Private, Word::LinkLocal, Word::Multicast, Word::Unspecified, Word::NonPublic];

    fn as_str(self) -> &'static str {
        match self {
            Word::Loopback => "loopback",
            Word::Private => "private",
            Word::LinkLocal => "link-local",
            Word::Multicast => "multicast",
            Word::Unspecified => "unspecified",
            Word::NonPublic => "non-public",
        }
    }

    fn list() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    fn covers(self, ip: IpAddr) -> bool {
        match (self, ip) {
            // Linux connects 0.0.0.0 and :: to the loopback interface.
            (Word::Loopback, _) => ip.is_loopback() || ip.is_unspecified(),
            (Word::Multicast, _) => ip.is_multicast(),
            (Word::Unspecified, _) => ip.is_unspecified(),
            (Word::Private, IpAddr::V4(v4)) => v4.is_private(),
            (Word::Private, IpAddr::V6(v6)) => v6.is_unique_local(),
            (Word::LinkLocal, IpAddr::V4(v4)) => v4.is_link_local() || METADATA_V4.contains(&v4),
            (Word::LinkLocal, IpAddr::V6(v6)) => v6.is_unicast_link_local() || METADATA_V6.contains(&v6),
            (Word::NonPublic, IpAddr::V4(v4)) => is_non_public_v4(v4),
            (Word::NonPublic, IpAddr::V6(v6)) => is_non_public_v6(v6),
        }
    }
}

/// Not globally reachable by IANA's IPv4 special-purpose registry, or multicast.
fn is_non_public_v4(ip: Ipv4Addr) -> bool {
    match ip.octets() {
        [0 | 10 | 127, ..] => true,
        [100, b, ..] => b & 0xc0 == 64,
        [169, 254, ..] | [192, 168, ..] => true,
        [172, b, ..] => b & 0xf0 == 16,
        [192, 0, 0 | 2, _] | [192, 88, 99, _] => true,
        [198, 18 | 19, ..] | [198, 51, 100, _] | [203, 0, 113, _] => true,
        [a, ..] => a >= 224,
    }
}

/// Outside 2000::/3, from which alone public addresses are given, or special inside it by IANA's IPv6 registry.
/// NAT64 is public: what it carries is judged by itself.
fn is_non_public_v6(ip: Ipv6Addr) -> bool {
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => false,
        [0x2001, b, ..] => b < 0x200 || b == 0xdb8,
        [0x3fff, b, ..] => b < 0x1000,
        [a, ..] => a & 0xe000 != 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denies(rules: &[&str], ip: &str) -> bool {
        let rules: Vec<String> = rules.iter().map(|&rule| rule.to_owned()).collect();
        Guard::parse(&rules).unwrap().denies(ip.parse().unwrap()).is_some()
    }

    #[test]
    fn each_word_covers_its_addresses_and_no_others() {
        let cases = [
            (
                "loopback",
                &["127.0.0.1", "127.255.0.9", "::1", "0.0.0.0", "::"][..],
                &["128.0.0.1", "::2"][..],
            ),
            (
                "private",
                &["10.1.2.3", "172.31.0.1", "192.168.9.9", "fd00::1"],
                &["172.32.0.1", "11.0.0.1", "fe80::1"],
            ),
            (
                "link-local",
                &[
                    "169.254.169.254",
                    "fe80::1",
                    "febf::1",
                    "100.100.100.200",
                    "168.63.129.16",
                    "fd00:ec2::254",
                    "::ffff:169.254.169.254",
                ],
                &["169.255.0.1", "fec0::1", "100.100.100.201", "168.63.129.17", "fd00:ec2::253"],
            ),
            ("multicast", &["224.0.0.1", "239.1.1.1", "ff02::1"], &["223.255.255.255", "fe80::1"]),
            ("unspecified", &["0.0.0.0", "::"], &["0.0.0.1", "::1"]),
            (
                "non-public",
                &[
                    "100.64.0.1",
                    "192.0.2.1",
                    "198.19.0.1",
                    "240.0.0.1",
                    "255.255.255.255",
                    "0.1.2.3",
                    "2001:db8::1",
                    "2001::1",
                    "64:ff9b:1::1",
                    "fc00::1",
                    "::1",
                    "4000::1",
                ],
                &["1.1.1.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "2001:4860::8888"],
            ),
        ];
        for (word, denied, allowed) in cases {
            for ip in denied {
                assert!(denies(&[word], ip), "{word} must deny {ip}");
            }
            for ip in allowed {
                assert!(!denies(&[word], ip), "{word} must allow {ip}");
            }
        }
    }

    #[test]
    fn an_ipv4_address_inside_an_ipv6_address_is_judged_too() {
        for ip in ["::ffff:127.0.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::1"] {
            assert!(denies(&["loopback"], ip), "{ip}");
            assert!(denies(&["127.0.0.0/8"], ip), "{ip}");
            assert!(denies(&["non-public"], ip), "{ip}");
        }
        assert!(!denies(&["non-public"], "64:ff9b::1.1.1.1"));
        assert!(!denies(&["non-public"], "2002:101:101::1"));
    }

    #[test]
    fn a_cidr_covers_its_net_only() {
        assert!(denies(&["10.0.0.0/8"], "10.255.255.255"));
        assert!(denies(&["10.9.9.9/8"], "10.0.0.1"));
        assert!(!denies(&["10.0.0.0/8"], "11.0.0.0"));
        assert!(denies(&["192.0.2.7"], "192.0.2.7"));
        assert!(!denies(&["192.0.2.7"], "192.0.2.8"));
        assert!(denies(&["0.0.0.0/0"], "8.8.8.8"));
        assert!(!denies(&["0.0.0.0/0"], "2606:4700::1111"));
        assert!(denies(&["2001:db8::/32"], "2001:db8:ffff::1"));
        assert!(denies(&["::ffff:10.0.0.0/104"], "10.1.1.1"));
    }

    #[test]
    fn an_entry_that_is_no_rule_is_named_in_the_error() {
        for entry in ["", "localhost", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "Loopback"] {
            let error = Guard::parse(&[entry.to_owned()]).unwrap_err();
            assert!(error.to_string().contains(&format!("{entry:?}")), "{error}");
        }
    }
}
