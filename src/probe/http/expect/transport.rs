//! What the last answer came over: the version of HTTP, and TLS or not.

use crate::model::Reason;
use crate::model::settings::{HttpVersion, TlsPolicy};
use crate::probe::expect::Verdict;

/// The version is one of some.
pub(super) struct VersionCondition {
    versions: Vec<HttpVersion>,
    /// For example `HTTP/1.0 or HTTP/1.1`.
    expected: String,
}

/// The answer came, or came not, over TLS.
#[derive(Clone, Copy)]
pub(super) struct TlsCondition(TlsPolicy);

impl VersionCondition {
    /// None given means that any will do, which is no condition.
    pub(super) fn new(versions: &[HttpVersion]) -> Option<Self> {
        let names: Vec<_> = versions.iter().map(|version| version.as_str()).collect();
        (!names.is_empty()).then(|| Self { versions: versions.to_vec(), expected: names.join(" or ") })
    }

    pub(super) fn names(&self, version: HttpVersion) -> bool {
        self.versions.contains(&version)
    }

    pub(super) fn judge(&self, version: HttpVersion) -> Verdict {
        let met = self.names(version);
        let what = format!("version {}", self.expected);
        Verdict::new(Reason::Protocol, what, version.as_str().to_owned(), met, |actual| {
            format!("version {actual}, expected {}", self.expected)
        })
    }
}

impl TlsCondition {
    pub(super) const fn new(policy: TlsPolicy) -> Self {
        Self(policy)
    }

    /// `fell_back`: a redirect led from https through http on its way, where anybody could read the request and answer it.
    pub(super) fn judge(self, is_tls: bool, fell_back: bool) -> Verdict {
        let (what, expected, met) = match self.0 {
            TlsPolicy::Required => ("TLS required", "https", is_tls && !fell_back),
            TlsPolicy::Forbidden => ("TLS forbidden", "plain http", !is_tls),
        };
        let actual = match (is_tls, fell_back) {
            (true, true) => "over TLS, after a redirect without",
            (true, false) => "over TLS",
            (false, _) => "without TLS",
        };
        Verdict::new(Reason::Tls, what.to_owned(), actual.to_owned(), met, |actual| {
            format!("the answer came {actual}, expected {expected}")
        })
    }
}
