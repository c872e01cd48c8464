//! Where something stands in a text: from offsets of bytes to lines.

use std::path::Path;
use std::sync::Arc;

use super::value::Origin;

/// The line at `origin`; 0 where there are no lines.
pub(super) fn line_of(origin: &Origin) -> u32 {
    if let Origin::File(_, line) = origin { *line } else { 0 }
}

/// From byte offsets to lines.
pub(super) struct Lines<'a> {
    text: &'a str,
    breaks: Vec<usize>,
    file: Origin,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str, file: &Origin) -> Self {
        Self { text, breaks: text.match_indices('\n').map(|(at, _)| at).collect(), file: file.clone() }
    }

    pub(super) fn origin(&self, offset: usize) -> Origin {
        let line = self.breaks.partition_point(|at| *at < offset) + 1;
        self.file.at(u32::try_from(line).unwrap_or(u32::MAX))
    }

    /// The line at `origin`.
    pub(super) fn text(&self, origin: &Origin) -> &'a str {
        let index = usize::try_from(line_of(origin)).unwrap_or_default().saturating_sub(1);
        self.text.lines().nth(index).unwrap_or_default().trim()
    }
}

/// The file as a whole.
pub(super) fn file_origin(path: &Path) -> Origin {
    Origin::File(Arc::from(path), 0)
}
