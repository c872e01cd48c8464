//! What is said of sites of the kind `tcp`.

use serde::{Deserialize, Serialize};

use super::is_default;

/// What is said of a site with a URL of `tcp` or `tls` alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TcpSettings {
    /// Sent as it is, once there is a connection. Not empty.
    #[serde(skip_serializing_if = "is_default")]
    pub send: Option<String>,
}
