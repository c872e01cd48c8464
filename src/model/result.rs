//! [`CheckResult`]: what became of one slot.
//!
//! It is also the format in which results travel and which `check --json` prints (`docs/result.schema.json`), so a change to its
//! fields is a change to a contract.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::{Job, Reason, Region, SiteId, Slot, Status};
use crate::clock::Timestamp;

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
    /// The earliest expiry in the chain that was verified, trust anchor aside; of a server that was not believed, or need not
    /// be, in all that it sent.
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
    /// Lines of its head that are no header lines, and were passed over: the first ones, and how many more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<String>,
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
    /// The slot's region. Left out where it is the default, as in results of versions that knew no other.
    #[serde(default, skip_serializing_if = "Region::is_default")]
    pub region: Region,
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
        self.site_id.map(|site_id| Slot { scheduled_at: self.scheduled_at, site_id, region: self.region })
    }

    /// The result of a slot that was not checked, found to be so at `found_at` by `worker`.
    pub fn unchecked(job: &Job, found_at: Timestamp, worker: &str, why: Unchecked) -> Self {
        let (status, reason, error) = match why {
            Unchecked::Late => {
                let late_s = (found_at - job.slot.scheduled_at).num_seconds();
                (Status::Missed, None, format!("found {late_s} s after its slot, later than one interval"))
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
            url: job.target.shown_url().into_owned(),
            scheduled_at: job.slot.scheduled_at,
            region: job.slot.region,
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
        .bounded()
    }
}

/// Why a slot ends without a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchecked {
    /// Not begun within one interval of its slot.
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
