//! What kinds of checks there are, as URLs say it.

/// How a site is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request over HTTP: `http`, `https`.
    Http,
    /// A connection, and perhaps a text and the answer to it: `tcp`, `tls`.
    Tcp,
}

/// What a URL may say behind its scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlForm {
    /// All that a URL can.
    Web,
    /// A host and a port, and nothing else.
    HostAndPort,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Http, Self::Tcp];

    /// What its URLs look like.
    pub fn url_form(self) -> UrlForm {
        match self {
            Self::Http => UrlForm::Web,
            Self::Tcp => UrlForm::HostAndPort,
        }
    }

    /// A URL that will do.
    pub fn example(self) -> &'static str {
        match self {
            Self::Http => "https://example.com/",
            Self::Tcp => "tcp://example.com:6379",
        }
    }

    /// The word for the content that is judged: behind heads it is a body.
    pub fn content(self) -> &'static str {
        match self {
            Self::Http => "body",
            Self::Tcp => "answer",
        }
    }

    /// Whether heads come before it, with a status each.
    pub fn has_heads(self) -> bool {
        match self {
            Self::Http => true,
            Self::Tcp => false,
        }
    }

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
