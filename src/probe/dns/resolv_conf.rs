//! resolv.conf(5), read as forgivingly as it is written: what a line means to nobody is passed over, and the rest counts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};
use std::time::Duration;

use super::exchange::Manner;

/// glibc's MAXNS.
const MOST_SERVERS: usize = 3;

/// For one question to one server. The customary 5 s would let a single lost packet eat half of a site's timeout.
const TIMEOUT: Duration = Duration::from_secs(2);

/// glibc's limits of the options: RES_MAXRETRANS, RES_MAXRETRY, RES_MAXNDOTS.
const TIMEOUTS: (u64, u64) = (1, 30);
const ATTEMPTS: (u64, u64) = (1, 5);
const NDOTS: (u64, u64) = (0, 15);

/// Whom to ask, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ResolvConf {
    /// In the order in which they are asked; never none.
    pub(super) servers: Vec<SocketAddr>,
    /// Domains that complete a short name.
    pub(super) search: Vec<String>,
    /// A name with as many dots is asked for as it is before it is completed.
    pub(super) ndots: usize,
    pub(super) timeout: Duration,
    pub(super) attempts: u64,
    /// Begin with another server each time.
    pub(super) rotate: bool,
    /// Ask for IPv6 addresses only where nothing else is wanted.
    pub(super) no_aaaa: bool,
    pub(super) manner: Manner,
}

impl ResolvConf {
    /// `servers` and nothing of the system's.
    pub(super) fn of(servers: &[SocketAddr]) -> Self {
        Self {
            servers: servers.to_vec(),
            search: Vec::new(),
            ndots: 1,
            timeout: TIMEOUT,
            attempts: 2,
            rotate: false,
            no_aaaa: false,
            manner: Manner::default(),
        }
    }

    /// Reads a file. Without a server in it, this machine is asked; without a domain, the host's own completes names: both as
    /// in glibc. `port` is 53.
    pub(super) fn parse(text: &[u8], host_name: &str, port: u16) -> Self {
        let mut conf = Self::of(&[]);
        conf.search.extend(host_name.split_once('.').and_then(|(_, domain)| domain_of(domain)));
        for line in text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).split(|&byte| byte == b'\n') {
            // A word in another encoding is nothing that counts here.
            let words = line.split(u8::is_ascii_whitespace).filter_map(|word| str::from_utf8(word).ok());
            let mut words = words.filter(|word| !word.is_empty());
            let keyword = words.next().unwrap_or_default();
            let values = words.take_while(|word| !word.starts_with(['#', ';']));
            conf.take(keyword, values, port);
        }
        if conf.servers.is_empty() {
            conf.servers.push(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        }
        conf
    }

    fn take<'a>(&mut self, keyword: &str, mut values: impl Iterator<Item = &'a str>, port: u16) {
        match keyword {
            "nameserver" if self.servers.len() < MOST_SERVERS => {
                self.servers.extend(values.next().and_then(|server| address(server, port)));
            }
            "domain" => self.search = values.next().and_then(domain_of).into_iter().collect(),
            "search" => self.search = values.filter_map(domain_of).collect(),
            "options" => values.for_each(|option| self.set(option)),
            _ => {}
        }
    }

    fn set(&mut self, option: &str) {
        let (name, value) = option.split_once(':').unwrap_or((option, ""));
        let number = |(least, most): (u64, u64)| value.parse::<u64>().ok().map(|n| n.clamp(least, most));
        match name {
            "ndots" => self.ndots = number(NDOTS).map_or(self.ndots, |n| usize::try_from(n).unwrap_or(1)),
            "timeout" => self.timeout = number(TIMEOUTS).map_or(self.timeout, Duration::from_secs),
            "attempts" => self.attempts = number(ATTEMPTS).unwrap_or(self.attempts),
            "rotate" => self.rotate = true,
            "no-aaaa" => self.no_aaaa = true,
            "edns0" => self.manner.edns = true,
            "use-vc" | "usevc" | "tcp" => self.manner.tcp = true,
            _ => {}
        }
    }
}

/// An address, also one that only means something on one interface (`fe80::1%eth0`), which the system knows by number.
fn address(text: &str, port: u16) -> Option<SocketAddr> {
    let text = text.split(['#', ';']).next()?;
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(SocketAddr::new(ip, port));
    }
    let (ip, _interface) = text.split_once('%')?;
    ip.parse::<std::net::Ipv6Addr>().ok()?;
    // With an address before the `%` the system looks the interface up and asks nobody.
    (text, port).to_socket_addrs().ok()?.next()
}

/// A domain without the dots around it; the root completes nothing.
fn domain_of(text: &str) -> Option<String> {
    let domain = text.trim_matches('.').to_ascii_lowercase();
    (!domain.is_empty()).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> ResolvConf {
        ResolvConf::parse(text, "host.corp.test", 53)
    }

    fn servers(text: &str) -> Vec<String> {
        parse(text.as_bytes()).servers.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn the_first_three_servers_count_in_their_order() {
        let text = "nameserver 10.0.0.3\nnameserver 2001:db8::1\nnameserver nobody\n  nameserver 10.0.0.1\n\
                    nameserver 10.0.0.4";

        assert_eq!(servers(text), ["10.0.0.3:53", "[2001:db8::1]:53", "10.0.0.1:53"]);
    }

    #[test]
    fn without_a_server_this_machine_is_asked() {
        for text in ["", "nameserver", "nameserver x", "; nameserver 10.0.0.1", "#nameserver 10.0.0.1"] {
            assert_eq!(servers(text), ["127.0.0.1:53"], "{text}");
        }
    }

    #[test]
    fn a_server_on_one_link_keeps_its_interface() {
        assert_eq!(servers("nameserver fe80::1%lo"), ["[fe80::1%1]:53"]);
        assert_eq!(servers("nameserver fe80::1%nothing-like-it"), ["127.0.0.1:53"]);
    }

    #[test]
    fn options_count_within_glibcs_limits_and_what_is_none_is_passed_over() {
        let conf = parse(
            b"options timeout:1 attempts:9 ndots:99 rotate retrans:1 edns0\noptions use-vc no-aaaa timeout:x",
        );

        assert_eq!((conf.timeout, conf.attempts, conf.ndots), (Duration::from_secs(1), 5, 15));
        assert!(conf.rotate && conf.no_aaaa && conf.manner.edns && conf.manner.tcp);
        let plain = parse(b"options :1 timeout attempts: unknown");
        assert_eq!((plain.timeout, plain.attempts, plain.ndots), (TIMEOUT, 2, 1));
    }

    #[test]
    fn the_last_search_list_counts_and_the_hosts_own_domain_without_one() {
        assert_eq!(parse(b"domain a.test\nsearch B.test. c.test # d.test").search, ["b.test", "c.test"]);
        assert_eq!(parse(b"search a.test b.test\ndomain c.test d.test").search, ["c.test"]);
        assert_eq!(parse(b"search .").search, [""; 0]);
        assert_eq!(parse(b"").search, ["corp.test"]);
    }
}
