//! hosts(5): names that the machine knows by itself.

use std::collections::HashMap;
use std::net::IpAddr;

/// The addresses of each name, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Hosts(HashMap<Box<str>, Vec<IpAddr>>);

impl Hosts {
    /// Reads a file. A line that does not begin with an address, and a word that is no text, are passed over.
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut hosts: HashMap<Box<str>, Vec<IpAddr>> = HashMap::new();
        for line in text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).split(|&byte| byte == b'\n') {
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
            let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let mut words = words.map(|word| str::from_utf8(word).unwrap_or_default());
            let Some(Ok(ip)) = words.next().map(str::parse::<IpAddr>) else { continue };
            for name in words.filter(|name| !name.is_empty()) {
                let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
                let known = hosts.entry(name.into()).or_default();
                if !known.contains(&ip) {
                    known.push(ip);
                }
            }
        }
        Self(hosts)
    }

    /// What the file has for `name`, which is in small letters and without a final dot.
    pub(super) fn addresses(&self, name: &str) -> &[IpAddr] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}
