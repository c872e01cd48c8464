//! Where the time went, as bars that begin where the bar before ends.

use std::io::{self, Write};

use crate::model::{Hop, Timings};

/// Columns of the longest row of bars.
const WIDTH: u64 = 40;

/// The time from the first request to the end of the last one, and how far it is drawn.
pub(super) struct Axis {
    whole_us: u64,
    drawn_us: u64,
}

impl Axis {
    /// For all of `hops`, drawn one after the other.
    pub(super) fn of(hops: &[Hop]) -> Self {
        Self { whole_us: hops.iter().map(|hop| length(&hop.timings)).sum(), drawn_us: 0 }
    }

    /// A line for each phase of the next hop that happened.
    pub(super) fn write(&mut self, timings: &Timings, out: &mut dyn Write) -> io::Result<()> {
        let mut from = self.drawn_us;
        for (name, us) in phases(timings) {
            let start = self.columns(from).min(WIDTH - 1);
            let width = self.columns(from + us).saturating_sub(start).max(1);
            let (blank, bar) = (repeated(" ", start), repeated("█", width));
            writeln!(out, "  {name:<11} {} {blank}{bar}", millis(us))?;
            from += us;
        }
        self.drawn_us += length(timings);
        Ok(())
    }

    fn columns(&self, us: u64) -> u64 {
        us.saturating_mul(WIDTH) / self.whole_us.max(1)
    }
}

/// Those that happened, in order.
fn phases(timings: &Timings) -> impl Iterator<Item = (&'static str, u64)> {
    let all = [
        ("dns", timings.dns_us),
        ("connect", timings.connect_us),
        ("tls", timings.tls_us),
        ("wait", timings.ttfb_us),
        ("download", timings.download_us),
    ];
    all.into_iter().filter_map(|(name, us)| Some((name, us?)))
}

/// The whole hop, with what lies between its phases.
fn length(timings: &Timings) -> u64 {
    let phases = phases(timings).map(|(_, us)| us).sum();
    timings.total_us.unwrap_or_default().max(phases)
}

fn repeated(text: &str, times: u64) -> String {
    text.repeat(usize::try_from(times).unwrap_or_default())
}

/// In tenths, such that points stand below each other.
pub(super) fn millis(us: u64) -> String {
    format!("{:>7}.{} ms", us / 1000, us % 1000 / 100)
}
