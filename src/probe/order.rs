//! An order to the connector: the URL to connect to, and how the site wants that done.

use url::Url;

use super::tls::TlsPlan;
use crate::model::settings::IpFamily;

/// How a site's connections are made, whichever of its hops they are for.
pub(super) struct Access {
    /// Which addresses of the host are connected to.
    pub(super) ip: IpFamily,
    pub(super) tls: TlsPlan,
}

/// One connection.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) url: &'a Url,
    /// It goes to another origin than the site's, which is not shown our certificate.
    pub(super) is_foreign: bool,
    pub(super) access: &'a Access,
}
