//! TCP to the first of several addresses that answers.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Fuse, FusedFuture as _, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, Sleep};

use super::failure::Failure;
use super::stopwatch::Phase;
use super::trace::Trace;
use crate::model::Reason;

/// How long an address has for itself before the next is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// The addresses of a host that may be tried, or why none of them may.
pub(super) type Permitted = Result<Vec<SocketAddr>, Failure>;

/// One address after the other, the next one as soon as one fails or has not answered within [`HEAD_START`]. Those that are
/// `late` join the race whenever they come (RFC 8305, section 3): nobody knows before whether the others lead anywhere. Says which one
/// did.
pub(super) async fn dial(
    first: Permitted,
    late: Option<impl Future<Output = Permitted>>,
    trace: &Trace,
) -> Result<(TcpStream, SocketAddr), Failure> {
    let mut late = pin!(late.map_or_else(Fuse::terminated, FutureExt::fuse));
    let mut running = FuturesUnordered::new();
    let mut race = Race::new();
    race.join(first);
    loop {
        if let Some(addr) = race.next(running.is_empty()) {
            trace.enter(Phase::Connect);
            running.push(connect(addr));
        }
        if running.is_empty() {
            let failure = race.failure();
            if late.is_terminated() {
                return Err(failure);
            }
            trace.waits_for_late(failure);
        }
        tokio::select! {
            biased;
            Some(ended) = running.next() => match ended {
                Ok(connected) => return Ok(connected),
                Err(miss) => race.missed(miss),
            },
            more = &mut late, if !late.is_terminated() => race.join(more),
            () = race.head_start(), if !race.untried.is_empty() => {}
        }
    }
}

/// The addresses that are still to be tried, and what is known of the others.
struct Race {
    untried: VecDeque<SocketAddr>,
    /// Until when the address that was tried last has for itself.
    head_start: Instant,
    /// Why addresses may not be tried.
    denied: Option<Failure>,
    misses: Vec<Miss>,
}

impl Race {
    fn new() -> Self {
        Self { untried: VecDeque::new(), head_start: Instant::now(), denied: None, misses: Vec::new() }
    }

    fn join(&mut self, addrs: Permitted) {
        match addrs {
            Ok(addrs) => self.untried = interleave(self.untried.drain(..).chain(addrs)).into(),
            Err(failure) => self.denied = self.denied.take().or(Some(failure)),
        }
    }

    /// The next address, if it is its turn.
    fn next(&mut self, is_idle: bool) -> Option<SocketAddr> {
        if !is_idle && Instant::now() < self.head_start {
            return None;
        }
        let addr = self.untried.pop_front()?;
        self.head_start = Instant::now() + HEAD_START;
        Some(addr)
    }

    fn missed(&mut self, miss: Miss) {
        self.misses.push(miss);
        self.head_start = Instant::now();
    }

    fn head_start(&self) -> Sleep {
        tokio::time::sleep_until(self.head_start)
    }

    /// Why none of the addresses so far was of use. One that was tried says more than one that may not be.
    fn failure(&self) -> Failure {
        match &self.denied {
            Some(failure) if self.misses.is_empty() => failure.clone(),
            _ => explain(&self.misses),
        }
    }
}

/// IPv4 and IPv6 by turns, so that a broken family costs one [`HEAD_START`]. IPv4 begins: more machines have it.
pub(super) fn interleave(addrs: impl IntoIterator<Item = SocketAddr>) -> Vec<SocketAddr> {
    let (v4, v6): (Vec<_>, Vec<_>) = addrs.into_iter().partition(SocketAddr::is_ipv4);
    let count = v4.len() + v6.len();
    let (mut v4, mut v6) = (v4.into_iter(), v6.into_iter());
    let mut addrs = Vec::with_capacity(count);
    while addrs.len() < count {
        addrs.extend(v4.next().into_iter().chain(v6.next()));
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

    fn miss(fault: Fault) -> Miss {
        Miss {
            addr: SocketAddr::from(([127, 0, 0, 1], 81)),
            fault,
            error: io::Error::from(io::ErrorKind::ConnectionRefused),
        }
    }

    #[test]
    fn families_take_turns_and_none_is_lost() {
        let addrs = ["[::1]:80", "[::2]:80", "[::3]:80", "1.1.1.1:80"].map(|addr| addr.parse().unwrap());

        let order: Vec<String> = interleave(addrs).iter().map(SocketAddr::to_string).collect();

        assert_eq!(order, ["1.1.1.1:80", "[::1]:80", "[::2]:80", "[::3]:80"]);
    }

    #[test]
    fn what_was_tried_says_more_than_what_may_not_be() {
        let mut race = Race::new();

        race.join(Err(Failure::new(Reason::Blocked, "denied")));
        assert_eq!(race.failure().reason, Reason::Blocked);

        race.missed(miss(Fault::Site));
        assert_eq!(race.failure().reason, Reason::Connect);
    }

    #[test]
    fn a_shortage_is_never_the_sites_fault() {
        let reason =
            |faults: &[Fault]| explain(&faults.iter().map(|&fault| miss(fault)).collect::<Vec<_>>()).reason;

        assert_eq!(reason(&[Fault::Site, Fault::NoRoute]), Reason::Connect);
        assert_eq!(reason(&[Fault::NoRoute, Fault::NoRoute]), Reason::Internal);
        assert_eq!(reason(&[Fault::Site, Fault::Exhausted]), Reason::Internal);
    }
}
