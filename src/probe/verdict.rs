//! From what a try has found to its outcome.

use std::borrow::Cow;
use std::ops::Add as _;
use std::time::Duration;

use chrono::TimeDelta;

use super::evidence;
use super::expect::{self, Verdict, escaped};
use super::failure::Failure;
use super::mask::{self, Mask};
use super::notes::{HopNotes, Notes};
use super::outcome::{Judged, Outcome};
use super::place;
use super::plan::{ExpiryWarning, Plan};
use super::stopwatch::micros;
use super::tls::Link;
use super::trace::Trace;
use crate::clock::Timestamp;
use crate::model::secret::secrets_of;
use crate::model::{Hop, Reason, Status, Timings, duration};

/// Of an issuer's name.
const ISSUER_CHARS: usize = 200;

/// Closes `trace`, judges what is in it, and says what came of the try. `ended` is how its last hop did.
pub(super) fn conclude(
    trace: &Trace,
    plan: &Plan,
    ended: Result<(), Failure>,
    started_at: Timestamp,
) -> Outcome {
    let (notes, took) = trace.finish();
    let verdicts = match &ended {
        Ok(()) => judge(plan, &notes, took, started_at),
        Err(_) => Vec::new(),
    };
    let secrets = secrets(plan, &notes);
    let mask = Mask::of(&secrets);
    let (status, reason, error) = sentence(ended, &verdicts);
    let shown = |text: String| mask::members(&mask.text(text));
    let error = error.map(shown);
    let evidence = error.as_deref().map(|error| Box::new(evidence::gather(&notes, &verdicts, error, &mask)));
    let judged = verdicts.into_iter().map(|verdict| Judged {
        what: shown(verdict.what),
        actual: shown(verdict.actual),
        met: verdict.met,
    });
    Outcome {
        started_at,
        status,
        reason,
        error,
        evidence,
        judged: judged.collect(),
        ..facts(&notes, took, &mask)
    }
}

/// What the site's settings and its URL hold that nobody is to see. Longest first, so that none is left in part.
fn secrets<'p>(plan: &'p Plan, notes: &Notes) -> Cow<'p, [String]> {
    let configured = plan.secrets.as_slice();
    let in_url = notes.hops.first().map(|hop| secrets_of(hop.url.as_str())).unwrap_or_default();
    if in_url.is_empty() {
        return Cow::Borrowed(configured);
    }
    let mut all = [configured, &in_url].concat();
    all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    Cow::Owned(all)
}

/// Every expectation of a try that came to its end.
fn judge(plan: &Plan, notes: &Notes, took: Duration, now: Timestamp) -> Vec<Verdict> {
    let mut verdicts = plan.kind.judge(notes, took);
    verdicts.extend(notes.hops.iter().filter_map(|hop| expiry(hop, plan.expiry_warning, now)));
    verdicts
}

/// Whether the certificates that a hop depends on go on for long enough. A warning, for it works today.
fn expiry(hop: &HopNotes, warning: ExpiryWarning, now: Timestamp) -> Option<Verdict> {
    let links = hop.certificate()?.links.iter();
    let spared =
        |link: &Link| Some((link.not_after - now) - TimeDelta::from_std(warning.before(link)?).ok()?);
    let (_, link) = links.filter_map(|link| Some((spared(link)?, link))).min_by_key(|(spared, _)| *spared)?;
    let wanted = warning.before(link)?;
    let (left, host) = (link.not_after - now, place::authority(&hop.url));
    let met = left >= TimeDelta::from_std(wanted).unwrap_or(TimeDelta::MAX);
    let (wanted, date) = (duration::text(wanted), link.not_after.format("%Y-%m-%d %H:%M UTC"));
    let when = match left.num_days() {
        days if left < TimeDelta::zero() => format!("expired {} days ago, {date}", -days),
        days => format!("expires in {days} days, {date}"),
    };
    let actual = match &link.issuer {
        None => when,
        Some(issuer) => format!("depends on that of {}, which {when}", escaped(issuer, ISSUER_CHARS)),
    };
    let what = format!("certificate of {host} good for {wanted}");
    let verdict = Verdict::new(Reason::Tls, what, actual, met, |actual| {
        format!("certificate of {host} {actual}, sooner than {wanted}")
    });
    Some(verdict.degrading())
}

fn sentence(ended: Result<(), Failure>, verdicts: &[Verdict]) -> (Status, Option<Reason>, Option<String>) {
    if let Err(failure) = ended {
        return (failure.status(), Some(failure.reason), Some(failure.error));
    }
    match expect::summary(verdicts) {
        Some((status, reason, error)) => (status, Some(reason), Some(error)),
        None => (Status::Up, None, None),
    }
}

/// What was seen, without a verdict.
fn facts(notes: &Notes, took: Duration, mask: &Mask<'_>) -> Outcome {
    let last_head = notes.hops.iter().rev().find_map(|hop| hop.head.as_ref());
    let last_tls = notes.hops.iter().rev().find(|hop| hop.is_tls());
    Outcome {
        http_status: last_head.map(|head| head.status),
        http_version: last_head.map(|head| head.version.as_str()),
        remote_addr: notes.hops.iter().rev().find_map(|hop| hop.remote_addr),
        redirects: notes.redirects,
        final_url: notes.hops.last().map(|hop| mask.url(&hop.url)),
        body_bytes: notes.body.bytes,
        wire_bytes: notes.hops.iter().map(|hop| hop.wire_bytes).sum(),
        body_truncated: notes.body.truncated,
        timings: Timings { total_us: Some(micros(took)), ..sums(&notes.hops) },
        skipped: last_head.map(|head| evidence::skipped(head, mask)).unwrap_or_default(),
        certificate: last_tls.and_then(|hop| Some(hop.certificate()?.certificate.clone())),
        hops: notes.hops.iter().map(|hop| told(hop, mask)).collect(),
        ..Outcome::nothing()
    }
}

fn sums(hops: &[HopNotes]) -> Timings {
    let sum = |phase: fn(&Timings) -> Option<u64>| {
        hops.iter().filter_map(|hop| phase(&hop.timings)).reduce(u64::add)
    };
    Timings {
        dns_us: sum(|timings| timings.dns_us),
        connect_us: sum(|timings| timings.connect_us),
        tls_us: sum(|timings| timings.tls_us),
        ttfb_us: sum(|timings| timings.ttfb_us),
        download_us: sum(|timings| timings.download_us),
        total_us: None,
    }
}

fn told(hop: &HopNotes, mask: &Mask<'_>) -> Hop {
    Hop {
        url: mask.url(&hop.url),
        http_status: hop.head.as_ref().map(|head| head.status),
        remote_addr: hop.remote_addr,
        timings: hop.timings,
        certificate: hop.certificate().map(|shown| shown.certificate.clone()),
    }
}
