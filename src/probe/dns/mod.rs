//! From a host name to addresses, for all threads of the process.
//!
//! ```text
//! lookup ─▶ hosts file ─▶ cache ─▶ one question per name and family ─▶ upstream: the servers in their order ─▶ exchange
//!    │                                                                                               UDP, or TCP when cut
//!    └─ no addresses ─▶ canary: is it the name, or our resolver? ─▶ explain
//! ```
//!
//! The files that say whom to ask are followed while we run. What each part does, and where that is written down, is in
//! `docs/CHECKS.md`, "Names".

mod answer;
mod cache;
mod canary;
mod exchange;
mod explain;
mod hosts;
mod lookup;
mod question;
mod resolv_conf;
mod resolver;
mod trouble;
mod upstream;
mod watched;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::info;

use self::hosts::Hosts;
pub(super) use self::lookup::{Asking, Found};
use self::resolv_conf::ResolvConf;
use self::resolver::{Resolver, Sockets};
use self::upstream::Upstream;
use self::watched::Watched;
use super::failure::Failure;
use crate::clock::Clock;
use crate::model::Reason;
use crate::model::settings::IpFamily;

/// How often the files are looked at, at most: when a name is looked up, and never without that.
const LOOK: Duration = Duration::from_secs(1);

/// Where the system says how names resolve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameFiles {
    /// Whom to ask; `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// Names that need no question; `/etc/hosts`.
    pub hosts: PathBuf,
    /// The port of the servers in `resolv_conf`, which cannot say it; 53. Tests have servers at another.
    pub port: u16,
}

impl Default for NameFiles {
    fn default() -> Self {
        Self { resolv_conf: "/etc/resolv.conf".into(), hosts: "/etc/hosts".into(), port: 53 }
    }
}

/// Resolves names: the hosts file first, then what is known, then name servers.
pub(super) struct Names {
    state: Mutex<State>,
    sockets: Arc<Sockets>,
    port: u16,
}

struct State {
    looked: Option<Instant>,
    /// `None` where the servers are configured.
    resolv_conf: Option<Watched>,
    hosts_file: Watched,
    hosts: Arc<Hosts>,
    resolver: Arc<Resolver>,
}

impl Names {
    /// Asks `servers`, or those of the system when there are none; at most `at_once` questions at a time.
    pub(super) fn new(servers: &[SocketAddr], files: &NameFiles, at_once: usize) -> Self {
        let sockets = Arc::new(Sockets::new(at_once));
        let mut hosts_file = Watched::new(files.hosts.clone(), "the hosts file");
        let hosts = Hosts::parse(&hosts_file.changed().unwrap_or_default());
        let (resolv_conf, conf) = match servers {
            [] => {
                let mut file = Watched::new(files.resolv_conf.clone(), "the system's resolver configuration");
                let conf = system_conf(&file.changed().unwrap_or_default(), files.port);
                (Some(file), conf)
            }
            servers => (None, ResolvConf::of(servers)),
        };
        let resolver = Arc::new(Resolver::new(Upstream::new(conf), Arc::clone(&sockets)));
        let state = State { looked: None, resolv_conf, hosts_file, hosts: Arc::new(hosts), resolver };
        Self { state: Mutex::new(state), sockets, port: files.port }
    }

    /// The addresses of `host` (ASCII in small letters, as in a URL) of the families that are wanted. Where name servers have to be
    /// asked, `begun` gets the lookup, which can tell what it waits for.
    pub(super) async fn lookup(
        &self,
        host: &str,
        wanted: IpFamily,
        begun: impl FnOnce(Rc<Asking>),
    ) -> Result<Found, Failure> {
        let (hosts, resolver) = self.current();
        let name = host.strip_suffix('.').unwrap_or(host);
        let addresses = without_question(&hosts, name, wanted);
        if !addresses.is_empty() {
            return Ok(Found { addresses, late: None });
        }
        if exists_nowhere(name) {
            return Err(Failure::new(Reason::Dns, format!("no such name: {name}")));
        }
        let families = lookup::families(wanted, &resolver.upstream.conf);
        match lookup::at_hand(&resolver, name, families) {
            Some(found) => Ok(found),
            None => lookup::resolve(&resolver, host, families, begun).await,
        }
    }

    /// What the files say by now.
    fn current(&self) -> (Arc<Hosts>, Arc<Resolver>) {
        let now = Clock::instant();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.is_none_or(|looked| now - looked >= LOOK) {
            state.looked = Some(now);
            self.look(&mut state);
        }
        (Arc::clone(&state.hosts), Arc::clone(&state.resolver))
    }

    /// Takes over what has changed. With other name servers all that is known goes: it was the old ones' view.
    fn look(&self, state: &mut State) {
        if let Some(text) = state.hosts_file.changed() {
            state.hosts = Arc::new(Hosts::parse(&text));
        }
        let Some(text) = state.resolv_conf.as_mut().and_then(Watched::changed) else { return };
        let conf = system_conf(&text, self.port);
        if conf != state.resolver.upstream.conf {
            info!(servers:? = conf.servers; "the system's name servers have changed");
            state.resolver = Arc::new(Resolver::new(Upstream::new(conf), Arc::clone(&self.sockets)));
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

fn system_conf(text: &[u8], port: u16) -> ResolvConf {
    ResolvConf::parse(text, &gethostname::gethostname().to_string_lossy(), port)
}

/// From the hosts file, or because the name means this machine (RFC 6761, section 6.3).
fn without_question(hosts: &Hosts, name: &str, wanted: IpFamily) -> Vec<IpAddr> {
    let mut addresses = hosts.addresses(name).to_vec();
    addresses.retain(|ip| is_wanted(ip, wanted));
    if addresses.is_empty() && (name == "localhost" || name.ends_with(".localhost")) {
        addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        addresses.retain(|ip| is_wanted(ip, wanted));
    }
    addresses
}

fn is_wanted(ip: &IpAddr, wanted: IpFamily) -> bool {
    match wanted {
        IpFamily::Any => true,
        IpFamily::V4 => ip.is_ipv4(),
        IpFamily::V6 => ip.is_ipv6(),
    }
}

/// Nobody has such names, and nobody is to be asked for them (RFC 6761, section 6.4; RFC 7686).
fn exists_nowhere(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    matches!(last, "invalid" | "onion")
}
