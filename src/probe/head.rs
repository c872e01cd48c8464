//! The head of an answer over HTTP, whichever version it came in.

use std::ops::Range;

use crate::model::settings::HttpVersion;

/// A head as the server sent it.
#[derive(Debug)]
pub(super) struct Head {
    /// 100 to 999.
    pub(super) status: u16,
    pub(super) version: HttpVersion,
    /// Lines that are no header lines, and were passed over.
    pub(super) skipped: Skipped,
    text: Vec<u8>,
    fields: Vec<Field>,
}

/// Where a field lies in the text.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: Range<usize>,
    pub(super) value: Range<usize>,
}

/// The lines of a head that say nothing to us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Skipped {
    /// The beginnings of the first ones.
    pub(super) lines: Vec<Vec<u8>>,
    /// All of them.
    pub(super) count: usize,
}

impl Head {
    /// A head with the `fields` that lie in `text`.
    pub(super) fn new(status: u16, version: HttpVersion, text: Vec<u8>, fields: Vec<Field>) -> Self {
        Self { status, version, skipped: Skipped::default(), text, fields }
    }

    /// Every field in order, as many times as it stands there.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.fields.iter().map(|field| {
            let name = std::str::from_utf8(&self.text[field.name.clone()]).unwrap_or_default();
            (name, self.text[field.value.clone()].trim_ascii())
        })
    }

    /// The values of the field `name`, in any case.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.fields().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The values of the lists in all fields `name`.
    pub(super) fn items(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.values(name).flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
    }
}
