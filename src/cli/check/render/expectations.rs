//! Every expectation with ✓ or ✗ and with what was found.

use std::io::{self, Write};

use super::paint;
use crate::model::Status;
use crate::probe::{Outcome, escaped};
use crate::report::Page;

/// A longer expectation does not push the others' findings out of sight.
const WIDEST: usize = 56;

/// Characters of what is expected or found. Both are bounded where they are made; this is for the safety of the terminal.
const CHARS: usize = 500;

/// A line for each, the findings below each other. Nothing where there was no answer to judge.
pub(super) fn write(outcome: &Outcome, page: Page, out: &mut dyn Write) -> io::Result<()> {
    if outcome.judged.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let lengths = outcome.judged.iter().map(|judged| judged.what.chars().count());
    let width = lengths.filter(|length| *length <= WIDEST).max().unwrap_or_default();
    for judged in &outcome.judged {
        let mark = match judged.met {
            true => paint::status(Status::Up, "✓", page),
            false => paint::status(outcome.status, "✗", page),
        };
        let (what, actual) = (escaped(&judged.what, CHARS), escaped(&judged.actual, CHARS));
        writeln!(out, "  {mark} {what:<width$}  {actual}")?;
    }
    Ok(())
}
