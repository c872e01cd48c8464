//! What a result that is not up keeps for the person who asks why.

use super::expect::{Verdict, quoted};
use super::mask::{self, Mask};
use super::trace::Notes;
use super::wire::Head;
use crate::model::Evidence;
use crate::model::secret::HIDDEN;
use crate::model::settings::is_secret_header;

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
        body: head.map(|_| {
            mask::members(&mask.beginning(&notes.body.kept[..notes.body.kept.len().min(KEPT)], BODY))
        }),
    }
}

/// Lines of the head that are no header lines, in quotes: the first ones, and how many more there are.
pub(super) fn skipped(head: &Head, mask: &Mask<'_>) -> Vec<String> {
    let shown = |line: &Vec<u8>| {
        let line = String::from_utf8_lossy(line);
        let line = match line.split_once(':') {
            Some((name, _)) if is_secret_header(name) => format!("{name}: {HIDDEN}"),
            _ => line.into_owned(),
        };
        quoted(&mask.text(line), SKIPPED)
    };
    let mut lines: Vec<String> = head.skipped.lines.iter().map(shown).collect();
    match head.skipped.count - lines.len() {
        0 => {}
        more => lines.push(format!("and {more} more")),
    }
    lines
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
