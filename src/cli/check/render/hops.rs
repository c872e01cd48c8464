//! Every request of the try: where it went, what came back, and where its time went.

use std::io::{self, Write};

use super::{certificate, fact, paint, waterfall};
use crate::model::{Hop, Kind};
use crate::probe::Outcome;
use crate::report::Page;

/// A section for each, their bars on one axis. A single request needs no heading: the verdict has its URL.
pub(super) fn write(outcome: &Outcome, page: Page, out: &mut dyn Write) -> io::Result<()> {
    let hops = &outcome.hops;
    let answered = hops.iter().rposition(|hop| hop.http_status.is_some());
    let mut axis = waterfall::Axis::of(hops);
    for (index, hop) in hops.iter().enumerate() {
        writeln!(out)?;
        if hops.len() > 1 {
            fact(&format!("hop {}", index + 1), &hop.url, out)?;
        }
        if index > 0 && is_downgrade(&hops[index - 1], hop) {
            let note = "from https to http: from here on, others can read and change everything";
            writeln!(out, "  {:<11} {}", "", paint::warning(note, page))?;
        }
        let version = outcome.http_version.filter(|_| answered == Some(index));
        answer(hop, version, out)?;
        axis.write(&hop.timings, out)?;
        if let Some(certificate) = hop.certificate.as_ref().filter(|_| hops.len() > 1) {
            fact("certificate", &certificate::expiry(certificate.not_after, outcome.started_at), out)?;
        }
    }
    Ok(())
}

fn is_downgrade(from: &Hop, to: &Hop) -> bool {
    from.url.starts_with("https:") && to.url.starts_with("http:")
}

/// `version` is known of the last answer only.
fn answer(hop: &Hop, version: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    if Kind::of(&hop.url).is_some_and(|kind| !kind.has_heads()) {
        return hop.remote_addr.map_or(Ok(()), |addr| fact("connected", &format!("to {addr}"), out));
    }
    let version = version.map(|version| format!("{version} ")).unwrap_or_default();
    match (hop.http_status, hop.remote_addr) {
        (Some(status), Some(addr)) => fact("answer", &format!("{version}{status} from {addr}"), out),
        (Some(status), None) => fact("answer", &format!("{version}{status}"), out),
        (None, Some(addr)) => fact("answer", &format!("none from {addr}"), out),
        (None, None) => Ok(()),
    }
}
