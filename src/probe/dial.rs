//! TCP to the first of several addresses that answers.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpSocket, TcpStream};

use super::failure::Failure;
use crate::model::Reason;

/// How long an address has for itself before the next is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// One address after the other, the next one as soon as one fails or has not answered within [`HEAD_START`]. Says which one did.
pub(super) async fn dial(addrs: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Failure> {
    if let [addr] = addrs {
        return connect(*addr).await.map_err(|miss| explain(&[miss]));
    }
    let mut untried = addrs.iter();
    let mut running = FuturesUnordered::new();
    let mut misses = Vec::new();
    loop {
        match untried.next() {
            Some(addr) => running.push(connect(*addr)),
            None if running.is_empty() => return Err(explain(&misses)),
            None => {}
        }
        let patience = if untried.as_slice().is_empty() { Duration::MAX } else { HEAD_START };
        match tokio::time::timeout(patience, running.next()).await {
            Ok(Some(Ok(stream))) => return Ok(stream),
            Ok(Some(Err(miss))) => misses.push(miss),
            Ok(None) | Err(_) => {}
        }
    }
}

/// IPv4 and IPv6 by turns, so that a broken family costs one [`HEAD_START`]. IPv4 begins: more machines have it.
pub(super) fn interleave(ips: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    let mut v4 = ips.iter().filter(|ip| ip.is_ipv4());
    let mut v6 = ips.iter().filter(|ip| ip.is_ipv6());
    let mut addrs = Vec::with_capacity(ips.len());
    while addrs.len() < ips.len() {
        addrs.extend(v4.next().into_iter().chain(v6.next()).map(|ip| SocketAddr::new(*ip, port)));
    }
    addrs
}

/// An address that did not work out.
struct Miss {
    addr: SocketAddr,
    fault: Fault,
    error: io::Error,
}

/// Whose fault it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The other side's, or the network's.
    Site,
    /// This machine has no way to that address: no IPv6, no route.
    NoRoute,
    /// This machine is out of file descriptors, buffers or ports.
    Exhausted,
}

async fn connect(addr: SocketAddr) -> Result<(TcpStream, SocketAddr), Miss> {
    // Two steps, because every error of the first is ours: EMFILE, ENOBUFS, EAFNOSUPPORT, …
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.map_err(|error| Miss { addr, fault: fault_of_socket(&error), error })?;
    let connected = socket.connect(addr).await;
    let tcp = connected.map_err(|error| Miss { addr, fault: fault_of_connect(&error, addr), error })?;
    Ok((tcp, addr))
}

fn fault_of_socket(error: &io::Error) -> Fault {
    // EAFNOSUPPORT. Everything else that socket() can say is a shortage.
    match error.kind() {
        io::ErrorKind::Unsupported => Fault::NoRoute,
        _ => Fault::Exhausted,
    }
}

fn fault_of_connect(error: &io::Error, addr: SocketAddr) -> Fault {
    match error.kind() {
        // "Unreachable" can come from this machine or from a router on the way; only this machine says it to UDP at once.
        io::ErrorKind::NetworkUnreachable if !has_route(addr) => Fault::NoRoute,
        io::ErrorKind::AddrNotAvailable if !has_route(addr) => Fault::NoRoute,
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::OutOfMemory | io::ErrorKind::WouldBlock => {
            Fault::Exhausted
        }
        // A firewall of this machine forbids it.
        io::ErrorKind::PermissionDenied => Fault::NoRoute,
        _ => Fault::Site,
    }
}

/// Connecting a UDP socket sends nothing but looks the route up.
fn has_route(addr: SocketAddr) -> bool {
    let any = match addr {
        SocketAddr::V4(_) => SocketAddr::from(([0, 0, 0, 0], 0)),
        SocketAddr::V6(_) => SocketAddr::from(([0u16; 8], 0)),
    };
    UdpSocket::bind(any).and_then(|socket| socket.connect(addr)).is_ok()
}

/// A site is down when it failed on any address that we could really try, unless a shortage kept us from trying all.
fn explain(misses: &[Miss]) -> Failure {
    let text = misses.iter().map(Miss::to_string).collect::<Vec<_>>().join("; ");
    let exhausted = misses.iter().any(|miss| miss.fault == Fault::Exhausted);
    let stranded = misses.iter().all(|miss| miss.fault == Fault::NoRoute);
    if exhausted || stranded {
        return Failure::internal(format!("cannot connect from here: {text}"));
    }
    Failure::new(Reason::Connect, text)
}

impl std::fmt::Display for Miss {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let addr = self.addr;
        match self.error.kind() {
            io::ErrorKind::ConnectionRefused => write!(f, "connection refused by {addr}"),
            io::ErrorKind::ConnectionReset => write!(f, "connection reset by {addr}"),
            io::ErrorKind::TimedOut => write!(f, "{addr} does not answer"),
            _ => write!(f, "cannot connect to {addr}: {}", self.error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_and_none_is_lost() {
        let ips: Vec<IpAddr> =
            ["::1", "::2", "::3", "1.1.1.1"].iter().map(|ip| ip.parse().unwrap()).collect();

        let order: Vec<String> = interleave(&ips, 80).iter().map(SocketAddr::to_string).collect();

        assert_eq!(order, ["1.1.1.1:80", "[::1]:80", "[::2]:80", "[::3]:80"]);
    }

    #[test]
    fn a_shortage_is_never_the_sites_fault() {
        let miss = |fault| Miss {
            addr: SocketAddr::from(([127, 0, 0, 1], 81)),
            fault,
            error: io::Error::from(io::ErrorKind::ConnectionRefused),
        };
        let reason =
            |faults: &[Fault]| explain(&faults.iter().map(|&fault| miss(fault)).collect::<Vec<_>>()).reason;

        assert_eq!(reason(&[Fault::Site, Fault::NoRoute]), Reason::Connect);
        assert_eq!(reason(&[Fault::NoRoute, Fault::NoRoute]), Reason::Internal);
        assert_eq!(reason(&[Fault::Site, Fault::Exhausted]), Reason::Internal);
    }
}
