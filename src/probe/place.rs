//! What a URL says of where a connection goes.

use url::{Host, Url};

/// The host. The URL standard knows addresses in the URLs of the web alone; in others an IPv4 address is a name.
pub(super) fn host(url: &Url) -> Option<Host<&str>> {
    match url.host()? {
        Host::Domain(name) if !url.is_special() => Some(name.parse().map_or(Host::Domain(name), Host::Ipv4)),
        host => Some(host),
    }
}

/// Whether TLS is spoken there.
pub(super) fn is_tls(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "tls")
}

/// Host and port, also where the port goes without saying: one host may have several certificates.
pub(super) fn authority(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}
