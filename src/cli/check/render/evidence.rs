//! What a server said that did not answer well: its headers and the beginning of its body, a screenful at most.

use std::io::{self, Write};

use crate::model::{Evidence, Kind};
use crate::probe::escaped;
use crate::report::Page;

/// Lines of headers, and lines of body: together they leave the verdict in sight on a screen of 50 lines.
const LINES: usize = 12;

/// Where the page does not say how wide it is.
const WIDTH: u16 = 100;

/// No page is so narrow that it shows less.
const NARROWEST: u16 = 40;

const INDENT: &str = "    ";

pub(super) fn write(
    evidence: &Evidence,
    kind: Option<Kind>,
    page: Page,
    out: &mut dyn Write,
) -> io::Result<()> {
    let headers = evidence.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    block("headers of the answer", headers, page, out)?;
    let body = evidence.body.as_deref().unwrap_or_default().trim_end();
    // A tab would be shown as its escape, and indented code is full of them.
    let lines = body.lines().map(|line| line.replace('\t', "  "));
    let heading = format!("beginning of the {}", kind.unwrap_or(Kind::Http).content());
    block(&heading, lines, page, out)
}

/// The first lines under a heading, each cut to the page. Nothing where there are none.
fn block(
    heading: &str,
    lines: impl Iterator<Item = String>,
    page: Page,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "\n  {heading}")?;
    let room = usize::from(page.width.unwrap_or(WIDTH).max(NARROWEST)) - INDENT.len() - 1;
    for line in lines.by_ref().take(LINES) {
        writeln!(out, "{}", format!("{INDENT}{}", escaped(&line, room)).trim_end())?;
    }
    match lines.count() {
        0 => Ok(()),
        left => writeln!(out, "{INDENT}… and {left} more; --json has them all"),
    }
}
