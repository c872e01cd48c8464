//! What a check found.

use std::net::SocketAddr;

use crate::clock::Timestamp;
use crate::model::{Certificate, CheckResult, Evidence, Hop, Reason, Region, SiteId, Status, Timings};

/// A [`CheckResult`] without its slot.
///
/// `started_at` is the start of the first try, so that `started_at - scheduled_at` is the lag of the schedule.
/// All else, `timings` included, is of the try that counted, which is the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// When the first try began.
    pub started_at: Timestamp,
    /// Never `Missed`.
    pub status: Status,
    /// Why not up.
    pub reason: Option<Reason>,
    /// What happened, for people.
    pub error: Option<String>,
    /// Of the last answer.
    pub http_status: Option<u16>,
    /// Of the last answer, for example `HTTP/1.1`.
    pub http_version: Option<&'static str>,
    /// Of the last connection.
    pub remote_addr: Option<SocketAddr>,
    /// Hops that were followed.
    pub redirects: u32,
    /// Where the last hop went, or tried to go.
    pub final_url: Option<String>,
    /// Bytes of body that were read, decoded.
    pub body_bytes: u64,
    /// Bytes of heads and bodies of all hops, as they came.
    pub wire_bytes: u64,
    /// The body went on past the limit.
    pub body_truncated: bool,
    /// Where the time went. A phase that the timeout cut short counts up to that moment.
    pub timings: Timings,
    /// Lines of the last answer's head that are no header lines, and were passed over. In quotes, for people.
    pub skipped: Vec<String>,
    /// Of the last https hop.
    pub certificate: Option<Certificate>,
    /// Every request of the try, in order.
    pub hops: Vec<Hop>,
    /// Tries that were made.
    pub tries: u32,
    /// Every expectation with what was found; empty when there was no answer to judge.
    pub judged: Vec<Judged>,
    /// For a result that is not up.
    pub evidence: Option<Box<Evidence>>,
}

/// One expectation, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// For example `status 2xx`.
    pub what: String,
    /// For example `404 Not Found`.
    pub actual: String,
    /// Whether it holds.
    pub met: bool,
}

/// What a check was for: the part of a [`CheckResult`] that the probe does not know.
#[derive(Debug, Clone, Copy)]
pub struct Slot<'a> {
    /// `None` where no database knows the site.
    pub site_id: Option<SiteId>,
    /// As it may be shown.
    pub url: &'a str,
    /// In whole seconds.
    pub scheduled_at: Timestamp,
    /// Where it was checked.
    pub region: Region,
    /// Which worker checked.
    pub worker: &'a str,
    /// Leases so far.
    pub attempt: u32,
}

impl Outcome {
    /// Before anything is known.
    pub(super) fn nothing() -> Self {
        Self {
            started_at: Timestamp::default(),
            status: Status::Up,
            reason: None,
            error: None,
            http_status: None,
            http_version: None,
            remote_addr: None,
            redirects: 0,
            final_url: None,
            body_bytes: 0,
            wire_bytes: 0,
            body_truncated: false,
            timings: Timings::default(),
            skipped: Vec::new(),
            certificate: None,
            hops: Vec::new(),
            tries: 1,
            judged: Vec::new(),
            evidence: None,
        }
    }

    /// A check that could not be made, through a fault of our own.
    pub(super) fn internal(error: String, started_at: Timestamp) -> Self {
        Self {
            started_at,
            status: Status::Unknown,
            reason: Some(Reason::Internal),
            error: Some(error),
            ..Self::nothing()
        }
    }

    /// The result of `slot`, within its bounds.
    pub fn into_result(self, slot: Slot<'_>) -> CheckResult {
        CheckResult {
            v: CheckResult::VERSION,
            site_id: slot.site_id,
            url: slot.url.to_owned(),
            scheduled_at: slot.scheduled_at,
            region: slot.region,
            started_at: self.started_at,
            status: self.status,
            reason: self.reason,
            error: self.error,
            http_status: self.http_status,
            http_version: self.http_version.map(str::to_owned),
            remote_addr: self.remote_addr,
            redirects: self.redirects,
            final_url: self.final_url,
            body_bytes: self.body_bytes,
            wire_bytes: self.wire_bytes,
            body_truncated: self.body_truncated,
            timings: self.timings,
            certificate: self.certificate,
            // A hop by itself says nothing that the result does not.
            hops: if self.hops.len() > 1 { self.hops } else { Vec::new() },
            tries: self.tries,
            evidence: self.evidence,
            worker: slot.worker.to_owned(),
            attempt: slot.attempt,
        }
        .bounded()
    }
}
