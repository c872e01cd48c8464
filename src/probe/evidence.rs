//! What a result that is not up keeps for the person who asks why.

use super::expect::{Verdict, quoted};
use super::head::Head;
use super::mask::{self, Mask};
use super::notes::Notes;
use crate::model::Evidence;
use crate::model::secret::{HIDDEN, is_secret_name};

/// Bytes of body.
const BODY: usize = 4 * 1024;

/// Bytes of body that are kept for it: enough to find a secret that the end of the other cuts.
pub(super) const KEPT: usize = 2 * BODY;

/// Bytes of headers, names and values.
const HEADERS: usize = 8 * 1024;

/// Characters of a line that is no header line.
const SKIPPED: usize = 120;

/// Bytes of the sentences about failed expectations.
const FAILED: usize = 4 * 1024;

/// Picks it from `notes`. `error` says what is wrong where no expectation does.
pub(super) fn gather(notes: &Notes, verdicts: &[Verdict], error: &str, mask: &Mask<'_>) -> Evidence {
    let last = notes.hops.last();
    let failed = verdicts
        .iter()
        .filter(|verdict| !verdict.met)
        .map(|verdict| mask::members(&mask.text(verdict.failure())));
    let mut failed: Vec<String> = within(failed, FAILED, String::len).collect();
    if failed.is_empty() {
        failed.push(error.to_owned());
    }
    let head = last.and_then(|hop| hop.head.as_deref());
    Evidence {
        failed,
        addresses: last.map(|hop| hop.addresses.clone()).unwrap_or_default(),
        headers: head.map(|head| headers(head, mask)).unwrap_or_default(),
        skipped: head.map(|head| skipped(head, mask)).unwrap_or_default(),
        body: (head.is_some() || notes.body.bytes > 0).then(|| {
            mask::members(&mask.beginning(&notes.body.kept[..notes.body.kept.len().min(KEPT)], BODY))
        }),
    }
}

/// Lines of the head that are no header lines, in quotes: the first ones, and how many more there are.
pub(super) fn skipped(head: &Head, mask: &Mask<'_>) -> Vec<String> {
    let shown = |line: &Vec<u8>| {
        let line = without_secret(&String::from_utf8_lossy(line));
        // Once more for what the excerpt cuts.
        mask.text(quoted(&mask::members(&mask.text(line)), SKIPPED))
    };
    let mut lines: Vec<String> = head.skipped.lines.iter().map(shown).collect();
    match head.skipped.count - lines.len() {
        0 => {}
        more => lines.push(format!("and {more} more")),
    }
    lines
}

/// A line that is no header line, without the value that it would have if it were one. Nobody knows where its name ends: at the first
/// blank, where the colon is missing, or at the colon, where blanks are what is wrong with it.
fn without_secret(line: &str) -> String {
    let is_end = |sign: char| sign == ':' || sign == '=' || sign.is_whitespace();
    let first = line.find(is_end).filter(|end| is_secret_name(&line[..*end]));
    let Some(end) = first.or_else(|| line.find(':').filter(|end| is_secret_name(&line[..*end]))) else {
        return line.to_owned();
    };
    let (name, value) = line.split_at(end);
    match value.chars().next() {
        _ if value.trim_start_matches(is_end).is_empty() => line.to_owned(),
        Some('=') => format!("{name}={HIDDEN}"),
        Some(':') => format!("{name}: {HIDDEN}"),
        _ => format!("{name} {HIDDEN}"),
    }
}

fn headers(head: &Head, mask: &Mask<'_>) -> Vec<(String, String)> {
    let fields = head.fields().map(|(name, value)| {
        let value = mask.text(String::from_utf8_lossy(value).into_owned());
        (name.to_owned(), mask::header(name, &value).into_owned())
    });
    within(fields, HEADERS, |(name, value)| name.len() + value.len()).collect()
}

/// The first items that are no larger than `limit` together.
fn within<T>(items: impl Iterator<Item = T>, limit: usize, size: fn(&T) -> usize) -> impl Iterator<Item = T> {
    items.scan(0, move |total, item| {
        *total += size(&item);
        (*total <= limit).then_some(item)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_header_line_does_not_show_what_it_would_hide_as_one() {
        for (line, shown) in [
            ("Set-Cookie sid=abcdef123456", "Set-Cookie ***"),
            ("Set-Cookie=sid=abcdef123456", "Set-Cookie=***"),
            ("Set-Cookie sid=abcdef123456; a: b", "Set-Cookie ***"),
            ("My Token: abc", "My Token: ***"),
            ("X-Auth-Token:abc", "X-Auth-Token: ***"),
            ("Set-Cookie:", "Set-Cookie:"),
            ("X-Größe: y", "X-Größe: y"),
            ("token", "token"),
            ("", ""),
        ] {
            assert_eq!(without_secret(line), shown);
        }
    }
}
