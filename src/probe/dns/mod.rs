//! From a host name to addresses.

mod canary;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::config::{
    LookupIpStrategy, NameServerConfigGroup, ResolveHosts, ResolverConfig, ResolverOpts,
};
use hickory_resolver::name_server::TokioConnectionProvider;
use hickory_resolver::proto::op::{Query, ResponseCode};
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::proto::{ProtoError, ProtoErrorKind};
use hickory_resolver::{Hosts, ResolveError, TokioResolver};

use super::failure::Failure;
use super::trace::Trace;
use crate::model::Reason;

/// For one query. The customary 5 s would let a single lost packet eat half of a site's timeout.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a lookup may take before we ask whether any name server is there. Most take a tenth of that.
const BEFORE_DOUBT: Duration = Duration::from_millis(200);

/// Resolves names for one thread: the hosts file first, then name servers. Answers are kept as long as their TTL says;
/// a name that was not found is asked for again by the next check, so that recovery shows at once.
pub(super) struct Dns {
    hosts: Hosts,
    resolver: TokioResolver,
    /// Why the system's configuration could not be used; without one only the hosts file and `localhost` resolve.
    trouble: Option<ResolveError>,
}

impl Dns {
    /// Asks `servers`, or those of the system when there are none.
    pub(super) fn new(servers: &[SocketAddr]) -> Self {
        let (config, mut options, trouble) = match servers {
            [] => system_config(),
            _ => (config_of(servers), ResolverOpts::default(), None),
        };
        options.timeout = QUERY_TIMEOUT;
        // hickory's default asks for IPv6 only where there is no IPv4.
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.negative_max_ttl = Some(Duration::ZERO);
        // Ours, below: hickory would ask the network for the family that the hosts file leaves out.
        options.use_hosts_file = ResolveHosts::Never;
        let builder = TokioResolver::builder_with_config(config, TokioConnectionProvider::default());
        let resolver = builder.with_options(options).build();
        Self { hosts: Hosts::from_system().unwrap_or_default(), resolver, trouble }
    }

    /// The addresses of `host` (ASCII, as in a URL), both families.
    pub(super) async fn lookup(&self, host: &str, trace: &Trace) -> Result<Vec<IpAddr>, Failure> {
        let Ok(name) = Name::from_ascii(host) else {
            return Err(Failure::new(Reason::Dns, format!("{host} is not a valid name")));
        };
        let known = self.in_hosts_file(&name);
        if !known.is_empty() {
            return Ok(known);
        }
        let found = tokio::select! {
            // In this order: a name that is known already must not cost a timer.
            biased;
            found = self.resolver.lookup_ip(name) => found,
            never = self.doubt(trace) => match never {},
        };
        match found {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) => Err(self.explain(host, &error, trace)),
        }
    }

    /// Runs beside a lookup and, when that takes long, finds out whether any name server is there.
    async fn doubt(&self, trace: &Trace) -> Infallible {
        tokio::time::sleep(BEFORE_DOUBT).await;
        let mut servers: Vec<SocketAddr> = self.servers().collect();
        servers.dedup();
        if canary::sings(servers.into_iter()).await {
            trace.name_server_is_there();
        }
        std::future::pending().await
    }

    fn servers(&self) -> impl Iterator<Item = SocketAddr> {
        self.resolver.config().name_servers().iter().map(|server| server.socket_addr)
    }

    fn in_hosts_file(&self, name: &Name) -> Vec<IpAddr> {
        [RecordType::A, RecordType::AAAA]
            .into_iter()
            .filter_map(|family| self.hosts.lookup_static_host(&Query::query(name.clone(), family)))
            .flat_map(|lookup| lookup.iter().filter_map(|data| data.ip_addr()).collect::<Vec<_>>())
            .collect()
    }

    /// An answer is about the name, and so is silence on it alone. A resolver that cannot be asked is our own fault.
    fn explain(&self, host: &str, error: &ResolveError, trace: &Trace) -> Failure {
        match error.proto().map(ProtoError::kind) {
            Some(ProtoErrorKind::NoRecordsFound { response_code, .. }) => no_records(host, *response_code),
            Some(ProtoErrorKind::Timeout) if trace.has_name_server() => {
                Failure::new(Reason::Dns, format!("no name server answered for {host}"))
            }
            Some(ProtoErrorKind::Timeout) => {
                Failure::internal(format!("cannot resolve {host}: no name server answers at all"))
            }
            Some(ProtoErrorKind::NoConnections) => {
                let cause = self.trouble.as_ref().map(|trouble| format!(": {trouble}"));
                Failure::internal(format!(
                    "cannot resolve {host}, no name server is usable{}",
                    cause.unwrap_or_default()
                ))
            }
            Some(ProtoErrorKind::Io(io)) => {
                Failure::internal(format!("cannot ask a name server for {host}: {io}"))
            }
            Some(ProtoErrorKind::Busy) => {
                Failure::internal(format!("cannot resolve {host}: the resolver is too busy"))
            }
            _ => Failure::new(Reason::Dns, format!("{host} does not resolve: {error}")),
        }
    }
}

fn no_records(host: &str, code: ResponseCode) -> Failure {
    let error = match code {
        ResponseCode::NXDomain => format!("no such name: {host}"),
        ResponseCode::NoError => format!("{host} has no address"),
        code => format!("{host} does not resolve: its name server answered {code}"),
    };
    Failure::new(Reason::Dns, error)
}

fn system_config() -> (ResolverConfig, ResolverOpts, Option<ResolveError>) {
    match hickory_resolver::system_conf::read_system_conf() {
        Ok((config, options)) => (config, options, None),
        Err(error) => {
            log::warn!(error:%; "cannot read the system's resolver configuration");
            (ResolverConfig::new(), ResolverOpts::default(), Some(error))
        }
    }
}

fn config_of(servers: &[SocketAddr]) -> ResolverConfig {
    let mut group = NameServerConfigGroup::new();
    for server in servers {
        group.merge(NameServerConfigGroup::from_ips_clear(&[server.ip()], server.port(), false));
    }
    ResolverConfig::from_parts(None, Vec::new(), group)
}
