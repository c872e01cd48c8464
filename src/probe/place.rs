//! What a URL says of where a connection goes.

use url::Url;

/// Whether TLS is spoken there.
pub(super) fn is_tls(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "tls")
}

/// Host and port, also where the port goes without saying: one host may have several certificates.
pub(super) fn authority(url: &Url) -> String {
    let port = url.port_or_known_default().unwrap_or_default();
    format!("{}:{port}", url.host_str().unwrap_or_default())
}
