//! What kinds of checks there are, as URLs say it.

/// How a site is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request over HTTP: `http`, `https`.
    Http,
    /// A connection, and perhaps a text and the answer to it: `tcp`, `tls`.
    Tcp,
}

impl Kind {
    /// By the scheme of `url`; `None` where that is no site's.
    pub fn of(url: &str) -> Option<Self> {
        let (scheme, _) = url.split_once("://")?;
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => Some(Self::Http),
            "tcp" | "tls" => Some(Self::Tcp),
            _ => None,
        }
    }
}
