//! The last certificate, and when certificates expire.

use std::io::{self, Write};

use super::fact;
use crate::clock::Timestamp;
use crate::model::Certificate;

/// Everything that is known of it, a line each.
pub(super) fn write(certificate: &Certificate, now: Timestamp, out: &mut dyn Write) -> io::Result<()> {
    fact("certificate", &certificate.subject, out)?;
    if !certificate.names.is_empty() {
        fact("names", &certificate.names.join(", "), out)?;
    }
    fact("issuer", &certificate.issuer, out)?;
    fact(
        "valid",
        &format!("{}{}", since(certificate.not_before, now), expiry(certificate.not_after, now)),
        out,
    )?;
    if certificate.chain_not_after < certificate.not_after {
        fact("chain", &expiry(certificate.chain_not_after, now), out)?;
    }
    if !certificate.fingerprint.is_empty() {
        fact("sha256", &certificate.fingerprint, out)?;
    }
    Ok(())
}

fn since(not_before: Timestamp, now: Timestamp) -> String {
    let not_yet = if now < not_before { "not yet: " } else { "" };
    format!("{not_yet}from {}, ", date(not_before))
}

/// For example `expires in 30 days, 2026-02-01 00:00 UTC`.
pub(super) fn expiry(not_after: Timestamp, now: Timestamp) -> String {
    let date = date(not_after);
    match (not_after - now).num_days() {
        days if not_after < now => format!("expired {} days ago, {date}", -days),
        days => format!("expires in {days} days, {date}"),
    }
}

fn date(at: Timestamp) -> impl std::fmt::Display {
    at.format("%Y-%m-%d %H:%M UTC")
}
