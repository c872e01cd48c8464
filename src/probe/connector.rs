//! From a URL to a connection: resolve, judge, dial, shake hands. Whatever kind a check is of.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpStream;
use url::{Host, Url};

use super::dial::{self, Permitted};
use super::dns::Found;
use super::failure::Failure;
use super::order::Order;
use super::place;
use super::settings::Settings;
use super::stopwatch::Phase;
use super::tls::Seen;
use super::trace::Trace;
use super::transport::Transport;
use crate::model::Reason;
use crate::model::settings::IpFamily;
use crate::pattern;

/// Connects to what URLs name. Clones are cheap.
#[derive(Clone)]
pub(super) struct Connector {
    settings: Arc<Settings>,
}

impl Connector {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self { settings }
    }

    /// A new connection to the host of the order's URL, with TLS where the URL says so.
    pub(super) async fn connect(&self, order: &Order<'_>, trace: &Trace) -> Result<Transport, Failure> {
        let (tcp, peer) = self.reach(order, trace).await?;
        trace.connected(peer);
        secure(tcp, peer, order, trace).await
    }

    /// A connection to one of the host's addresses, those of a family that name servers are late with included.
    async fn reach(&self, order: &Order<'_>, trace: &Trace) -> Result<(TcpStream, SocketAddr), Failure> {
        let Found { addresses, late } = self.resolve(order, trace).await?;
        trace.pause();
        let first = self.permitted(&addresses, order, trace);
        let late = late.map(|late| async move { self.permitted(&late.addresses().await, order, trace) });
        dial::dial(first, late, trace).await
    }

    async fn resolve(&self, order: &Order<'_>, trace: &Trace) -> Result<Found, Failure> {
        let known = |ip: IpAddr| Found { addresses: vec![ip], late: None };
        match pattern::host_of(order.url) {
            Some(Host::Ipv4(ip)) => Ok(known(ip.into())),
            Some(Host::Ipv6(ip)) => Ok(known(ip.into())),
            Some(Host::Domain(name)) => {
                trace.enter(Phase::Resolve);
                self.settings.names.lookup(name, order.access.ip, |asking| trace.resolving(asking)).await
            }
            None => Err(Failure::internal(format!("{} names no host", order.url))),
        }
    }

    /// Those of the addresses that may be tried, in the order in which they are.
    fn permitted(&self, addresses: &[IpAddr], order: &Order<'_>, trace: &Trace) -> Permitted {
        let port = order.url.port_or_known_default().unwrap_or_default();
        let addrs = dial::interleave(addresses.iter().map(|&ip| SocketAddr::new(ip, port)));
        trace.resolved(&addrs);
        of_family(self.permit(addrs, order.url)?, order.access.ip, order.url)
    }

    /// The addresses that the guard lets through. Judged here and nowhere earlier, so that literals, names, redirects and
    /// names that change their mind all pass.
    fn permit(&self, mut addrs: Vec<SocketAddr>, url: &Url) -> Permitted {
        let mut denied = None;
        addrs.retain(|addr| match self.settings.guard.denies(addr.ip()) {
            Some(rule) => {
                denied = Some((*addr, rule));
                false
            }
            None => true,
        });
        match denied {
            Some((addr, rule)) if addrs.is_empty() => {
                let host = url.host_str().unwrap_or_default();
                let error = format!("{host} leads to {}, which deny_targets forbids ({rule})", addr.ip());
                Err(Failure::new(Reason::Blocked, error))
            }
            _ => Ok(addrs),
        }
    }
}

/// The addresses that the site is to be checked at. Names were asked for these only; a literal is what it is.
fn of_family(mut addrs: Vec<SocketAddr>, family: IpFamily, url: &Url) -> Permitted {
    let (wanted, name): (fn(&SocketAddr) -> bool, _) = match family {
        IpFamily::Any => return Ok(addrs),
        IpFamily::V4 => (SocketAddr::is_ipv4, "IPv4"),
        IpFamily::V6 => (SocketAddr::is_ipv6, "IPv6"),
    };
    addrs.retain(wanted);
    if addrs.is_empty() {
        let host = url.host_str().unwrap_or_default();
        return Err(Failure::new(Reason::Dns, format!("{host} has no {name} address")));
    }
    Ok(addrs)
}

async fn secure(
    tcp: TcpStream,
    peer: SocketAddr,
    order: &Order<'_>,
    trace: &Trace,
) -> Result<Transport, Failure> {
    if !place::is_tls(order.url) {
        return Ok(Transport::Tcp(tcp));
    }
    let seen = Arc::new(Seen::default());
    trace.shaking_hands(Arc::clone(&seen));
    let tls = order.access.tls.handshake(tcp, peer, order.url, order.is_foreign, &seen).await?;
    Ok(Transport::Tls(Box::new(tls)))
}
