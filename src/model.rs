//! What the program talks about: sites, jobs and results. Plain data, no I/O.
//!
//! [`CheckResult`] is also the format in which results travel and which `check --json` prints
//! (`docs/result.schema.json`), so a change to its fields is a change to a contract.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::settings::CheckSettings;
use crate::clock::Timestamp;

pub mod duration;
pub mod settings;

/// A row of `site_config`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiteId(pub i64);

/// One moment at which one site is due: the natural key of jobs and results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// When, in whole seconds.
    pub scheduled_at: Timestamp,
    /// Which site.
    pub site_id: SiteId,
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A site as somebody declares it: in the file, in an import, or on the command line. Validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteSpec {
    /// Unique, and the seed of the site's phase.
    pub name: String,
    /// Absolute, `http` or `https`.
    pub url: String,
    /// Seconds between two slots: 1 to 2,678,400 (31 d).
    pub every_s: u32,
    /// For one try: all hops, headers and body. Shorter than `every`.
    pub timeout: Duration,
    /// Further tries, each on a fresh connection, before a `down` stands.
    pub retries: u8,
    /// Whether it is scheduled.
    pub enabled: bool,
    /// Free words for grouping.
    pub tags: Vec<String>,
    /// How it is requested and what is expected; `None` where all of it is at its default.
    pub settings: Option<Box<CheckSettings>>,
}

impl SiteSpec {
    /// What a check needs to know.
    pub fn target(&self) -> Target {
        Target {
            url: self.url.clone(),
            timeout: self.timeout,
            retries: self.retries,
            settings: self.settings_text().map(Into::into),
        }
    }

    /// [`CheckSettings::to_text`], where there are any.
    pub fn settings_text(&self) -> Option<String> {
        self.settings.as_ref().map(|settings| settings.to_text())
    }
}

/// A site to import, with the id that it had where it was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// `None`: the database gives it a new one.
    pub id: Option<SiteId>,
    /// What to watch.
    pub spec: SiteSpec,
}

impl From<SiteSpec> for Declared {
    fn from(spec: SiteSpec) -> Self {
        Self { id: None, spec }
    }
}

/// Who declared a site. Reconciling the file leaves sites of other origins alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// `[[site]]` in the configuration file.
    File,
    /// `sites add` or `sites import`.
    Command,
}

/// A site as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Never given to another site, even after removal.
    pub id: SiteId,
    /// What was declared.
    pub spec: SiteSpec,
    /// Second inside the interval at which its slots lie: `slot % every_s == phase_s`.
    pub phase_s: u32,
    /// Who declared it.
    pub origin: Origin,
    /// The newest result's status, `None` before the first.
    pub last_status: Option<Status>,
    /// The slot of the newest result.
    pub last_updated: Option<Timestamp>,
    /// Since which slot `last_status` has stood.
    pub since: Option<Timestamp>,
}

/// A slot that waits in the queue, as a claimer receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Key in the queue.
    pub slot: Slot,
    /// Leases so far, this one included: 1 for the first.
    pub attempt: u32,
    /// Seconds between two slots of the site.
    pub every_s: u32,
    /// Claimed more than one interval late: ends as `missed`, not as a check.
    pub late: bool,
    /// What to request.
    pub target: Target,
}

/// What one check needs to know of its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Absolute, `http` or `https`.
    pub url: String,
    /// For one try.
    pub timeout: Duration,
    /// Further tries on a fresh connection before a `down` stands.
    pub retries: u8,
    /// The [`CheckSettings`] in JSON; `None` where all are at their defaults. A text, because most jobs
    /// go on to a probe that has seen the same one before.
    pub settings: Option<Arc<str>>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every value, in order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word that stands in the database and in results.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err(UnknownWord(word.to_owned())),
                }
            }
        }
    };
}

/// A word that is no status and no reason, for example from a newer version's database.
#[derive(Debug, thiserror::Error)]
#[error("unknown word {0:?}")]
pub struct UnknownWord(pub String);

words! {
    /// The verdict on one slot.
    Status {
        /// As expected.
        Up = "up",
        /// Answers, but slowly or with a warning such as an expiring certificate.
        Degraded = "degraded",
        /// Not as expected.
        Down = "down",
        /// Nobody checked in time.
        Missed = "missed",
        /// We could not tell: our own fault, not the site's.
        Unknown = "unknown",
    }
}

words! {
    /// Why a check is not up.
    Reason {
        /// The name does not resolve.
        Dns = "dns",
        /// Refused, unreachable, reset, or closed before a whole head.
        Connect = "connect",
        /// Handshake or certificate.
        Tls = "tls",
        /// Not finished within the site's timeout.
        Timeout = "timeout",
        /// Not HTTP, or a body that is cut or badly framed.
        Protocol = "protocol",
        /// Too many hops, a loop, or a `Location` that is missing or unusable.
        Redirect = "redirect",
        /// Not an expected status.
        Status = "status",
        /// A header is not as expected.
        Header = "header",
        /// The body is not as expected.
        Body = "body",
        /// A JSON value is not as expected.
        Json = "json",
        /// Slower than allowed.
        Slow = "slow",
        /// Head or body over its limit.
        TooLarge = "too_large",
        /// The target guard forbids the address.
        Blocked = "blocked",
        /// Our own fault.
        Internal = "internal",
    }
}

/// How long each phase took, summed over redirect hops. A phase that did not happen is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timings {
    /// Name resolution; `None` for an address literal.
    pub dns_us: Option<u64>,
    /// TCP connect.
    pub connect_us: Option<u64>,
    /// TLS handshake.
    pub tls_us: Option<u64>,
    /// From the request's first byte to the answer's first byte.
    pub ttfb_us: Option<u64>,
    /// From the answer's first byte to the body's end.
    pub download_us: Option<u64>,
    /// From the start of the try that counted to its end.
    pub total_us: Option<u64>,
}

/// The leaf certificate of the last https hop that was attempted, also when its verification failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SentCertificate")]
pub struct Certificate {
    /// Start of validity.
    #[serde(with = "rfc3339")]
    pub not_before: Timestamp,
    /// End of validity.
    #[serde(with = "rfc3339")]
    pub not_after: Timestamp,
    /// Distinguished name.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// The earliest expiry in the chain that the server sent.
    #[serde(with = "rfc3339")]
    pub chain_not_after: Timestamp,
    /// The host names and addresses that it is for, the first 20.
    pub names: Vec<String>,
    /// SHA-256 of the certificate, in lower-case hex.
    pub fingerprint: String,
}

/// One request of a try that was redirected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// What was requested, without a user, a password or a fragment.
    pub url: String,
    /// `None` without an answer.
    pub http_status: Option<u16>,
    /// `None` without a connection.
    pub remote_addr: Option<SocketAddr>,
    /// Of this hop alone; `total_us` is from its beginning to its end.
    #[serde(default)]
    pub timings: Timings,
    /// `None` without TLS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
}

/// What a check saw that was not good, for the person who asks why. At most about 16 KiB; the request's secrets are masked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// Every failed expectation with its actual value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// What the last host resolved to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
    /// Headers of the last answer, in order, up to 8 KiB.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// The beginning of its body, up to 4 KiB. Bytes that are no text are shown as U+FFFD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// A certificate as it may arrive.
#[derive(Deserialize)]
struct SentCertificate {
    #[serde(with = "rfc3339")]
    not_before: Timestamp,
    #[serde(with = "rfc3339")]
    not_after: Timestamp,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    issuer: String,
    /// Missing: nothing but the leaf is known.
    chain_not_after: Option<Timestamp>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    fingerprint: String,
}

impl From<SentCertificate> for Certificate {
    fn from(sent: SentCertificate) -> Self {
        let SentCertificate { not_before, not_after, subject, issuer, chain_not_after, names, fingerprint } =
            sent;
        let chain_not_after = chain_not_after.unwrap_or(not_after);
        Self { not_before, not_after, subject, issuer, chain_not_after, names, fingerprint }
    }
}

/// The outcome of one slot.
///
/// Without `v`, `site_id`, `url`, `scheduled_at`, `started_at` and `status` a result says nothing. Everything else may be
/// missing when it is read, as in results of versions that did not have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Version of this format: 1.
    pub v: u8,
    /// `None` where no database knows the site.
    pub site_id: Option<SiteId>,
    /// As configured.
    pub url: String,
    /// The slot, in whole seconds.
    #[serde(with = "rfc3339")]
    pub scheduled_at: Timestamp,
    /// When the check began; for a slot that was not checked, when that was found.
    #[serde(with = "rfc3339_us")]
    pub started_at: Timestamp,
    /// The verdict.
    pub status: Status,
    /// Why not up.
    pub reason: Option<Reason>,
    /// For people: every failed expectation with its actual value.
    pub error: Option<String>,
    /// Of the last answer.
    pub http_status: Option<u16>,
    /// Of the last answer, for example `HTTP/1.1`.
    pub http_version: Option<String>,
    /// Of the last connection.
    pub remote_addr: Option<SocketAddr>,
    /// Hops that were followed.
    #[serde(default)]
    pub redirects: u32,
    /// Where the last hop went.
    pub final_url: Option<String>,
    /// Bytes of body that were read, decoded.
    #[serde(default)]
    pub body_bytes: u64,
    /// Bytes of heads and bodies of all hops, as they came.
    #[serde(default)]
    pub wire_bytes: u64,
    /// The body went on past the limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub body_truncated: bool,
    /// Where the time went.
    #[serde(default)]
    pub timings: Timings,
    /// `None` without TLS.
    pub certificate: Option<Certificate>,
    /// Every request of the try, where there was more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hops: Vec<Hop>,
    /// Tries that were made; all else is of the last.
    #[serde(default = "first")]
    pub tries: u32,
    /// Only with a result that is not up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Box<Evidence>>,
    /// Which worker checked.
    #[serde(default)]
    pub worker: String,
    /// Leases so far, not retries.
    #[serde(default = "first")]
    pub attempt: u32,
}

fn first() -> u32 {
    1
}

impl CheckResult {
    /// The format's version that this program writes.
    pub const VERSION: u8 = 1;

    /// The slot that this result settles; `None` for a check that no database asked for.
    pub fn slot(&self) -> Option<Slot> {
        self.site_id.map(|site_id| Slot { scheduled_at: self.scheduled_at, site_id })
    }

    /// The result of a slot that was not checked, found to be so at `found_at` by `worker`.
    pub fn unchecked(job: &Job, found_at: Timestamp, worker: &str, why: Unchecked) -> Self {
        let (status, reason, error) = match why {
            Unchecked::Late => {
                let late_s = (found_at - job.slot.scheduled_at).num_seconds();
                (Status::Missed, None, format!("claimed {late_s} s after its slot, later than one interval"))
            }
            Unchecked::Poison => (
                Status::Unknown,
                Some(Reason::Internal),
                format!("given up after {} leases that ended without a result", job.attempt - 1),
            ),
        };
        Self {
            v: Self::VERSION,
            site_id: Some(job.slot.site_id),
            url: job.target.url.clone(),
            scheduled_at: job.slot.scheduled_at,
            started_at: found_at,
            status,
            reason,
            error: Some(error),
            http_status: None,
            http_version: None,
            remote_addr: None,
            redirects: 0,
            final_url: None,
            body_bytes: 0,
            wire_bytes: 0,
            body_truncated: false,
            timings: Timings::default(),
            certificate: None,
            hops: Vec::new(),
            tries: 0,
            evidence: None,
            worker: worker.to_owned(),
            attempt: job.attempt,
        }
    }
}

/// Why a slot ends without a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchecked {
    /// Claimed more than one interval after its slot.
    Late,
    /// Every lease so far ended without a result: the job keeps killing its worker.
    Poison,
}

/// RFC 3339 in UTC with whole seconds.
mod rfc3339 {
    use chrono::{DateTime, SecondsFormat};
    use serde::{Deserialize, Deserializer, Serializer};

    use super::Timestamp;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Secs, true))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Timestamp, D::Error> {
        DateTime::deserialize(input)
    }
}

/// RFC 3339 in UTC with microseconds.
mod rfc3339_us {
    use chrono::SecondsFormat;
    use serde::Serializer;

    use super::Timestamp;
    pub(super) use super::rfc3339::deserialize;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}
