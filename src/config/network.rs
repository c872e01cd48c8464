//! Addresses in the configuration: what is denied, and who resolves names.

use std::net::{IpAddr, SocketAddr};

use super::fault::Fault;

use super::quoted::quoted;
use super::suggest::nearest;

/// The words that `checker.deny_targets` accepts besides CIDRs.
pub const WORDS: [&str; 6] = ["loopback", "private", "link-local", "multicast", "unspecified", "non-public"];

/// A word of [`WORDS`] or a CIDR, as written.
pub(super) fn deny_target(item: &str) -> Result<String, Fault> {
    if WORDS.contains(&item) || is_cidr(item) {
        return Ok(item.to_owned());
    }
    let remedy = match item.parse::<IpAddr>() {
        Ok(address) => format!("write \"{address}/{}\" for this one address", bits(address)),
        Err(_) => match nearest(item, WORDS) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write a CIDR such as \"10.0.0.0/8\", or one of {}", WORDS.join(", ")),
        },
    };
    Err(Fault::new(format!("holds {}, which is neither a CIDR nor a known word", quoted(item)), remedy))
}

fn is_cidr(item: &str) -> bool {
    let Some((address, prefix)) = item.split_once('/') else { return false };
    let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    match (address.parse(), prefix.parse::<u8>()) {
        (Ok(address), Ok(prefix)) => digits && prefix <= bits(address),
        _ => false,
    }
}

fn bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

pub(super) fn name_server(item: &str) -> Result<SocketAddr, Fault> {
    item.parse().map_err(|_| {
        let remedy = match item.parse::<IpAddr>() {
            Ok(address) => format!("add the port: \"{}\"", SocketAddr::new(address, 53)),
            Err(_) => "write \"ip:port\", for example \"9.9.9.9:53\"".to_owned(),
        };
        Fault::new(format!("holds {}, which is no \"ip:port\"", quoted(item)), remedy)
    })
}
