//! What a check found, as text for people: the verdict and what it is made of, where the time went, who answered, and what
//! a server said that did not answer well.
//!
//! Much of it comes from servers, so every text goes through [`fact`] or [`escaped`]: nothing reaches the terminal that
//! moves a cursor.

mod certificate;
mod evidence;
mod expectations;
mod hops;
mod paint;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
mod waterfall;

use std::io::{self, Write};

use crate::model::Kind;
use crate::probe::{Outcome, escaped};
use crate::report::Page;

/// Characters of one fact. Subjects of certificates and URLs can be of any length.
const FACT_CHARS: usize = 500;

/// Writes all of it. `url` is what the site is called by.
pub(super) fn outcome(url: &str, outcome: &Outcome, page: Page, out: &mut dyn Write) -> io::Result<()> {
    verdict(url, outcome, page, out)?;
    expectations::write(outcome, page, out)?;
    hops::write(outcome, page, out)?;
    totals(outcome, out)?;
    if let Some(certificate) = &outcome.certificate {
        writeln!(out)?;
        certificate::write(certificate, outcome.started_at, out)?;
    }
    match &outcome.evidence {
        Some(evidence) => evidence::write(evidence, kind(outcome), page, out),
        None => Ok(()),
    }
}

fn verdict(url: &str, outcome: &Outcome, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let word = paint::status(outcome.status, &outcome.status.as_str().to_uppercase(), page);
    let reason = outcome.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    writeln!(out, "{word} {}{reason}", escaped(url, FACT_CHARS))?;
    if let Some(error) = &outcome.error {
        writeln!(out, "  {}", escaped(error, usize::MAX))?;
    }
    Ok(())
}

/// What is of the whole try rather than of one request.
fn totals(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    if outcome.hops.len() > 1 {
        writeln!(out)?;
    }
    if let Some(us) = outcome.timings.total_us {
        writeln!(out, "  {:<11} {}", "total", waterfall::millis(us))?;
    }
    if outcome.wire_bytes > 0 {
        fact("size", &size(outcome), out)?;
    }
    for (at, line) in outcome.skipped.iter().enumerate() {
        match at {
            0 => fact("passed over", &format!("what is no header line: {line}"), out)?,
            _ => fact("", line, out)?,
        }
    }
    resolved(outcome, out)?;
    if outcome.tries > 1 {
        fact("tries", &format!("{}; all of this is of the last one", outcome.tries), out)?;
    }
    Ok(())
}

fn size(outcome: &Outcome) -> String {
    let more = if outcome.body_truncated { ", and more that was not read" } else { "" };
    let (body, wire) = (outcome.body_bytes, outcome.wire_bytes);
    let kind = kind(outcome).unwrap_or(Kind::Http);
    let heads =
        if kind.has_heads() { format!("; {wire} bytes on the wire, heads included") } else { String::new() };
    format!("{body} bytes of {}{more}{heads}", kind.content())
}

/// `None` where nothing was tried.
fn kind(outcome: &Outcome) -> Option<Kind> {
    Kind::of(&outcome.hops.last()?.url)
}

/// The last host's addresses, where they say more than the address that answered.
fn resolved(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let addresses =
        outcome.evidence.as_ref().map(|evidence| evidence.addresses.as_slice()).unwrap_or_default();
    let connected = outcome.hops.last().and_then(|hop| hop.remote_addr).map(|addr| addr.ip());
    if addresses.is_empty() || (addresses.len() == 1 && addresses.first() == connected.as_ref()) {
        return Ok(());
    }
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    fact("resolved", &addresses.join(", "), out)
}

/// A line of its own. An empty `label` goes on with the one before.
fn fact(label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {label:<11} {}", escaped(text, FACT_CHARS))
}
