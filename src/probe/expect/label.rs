//! The labels of encodings, in headers and in documents.

use encoding_rs::{Encoding, REPLACEMENT};

/// The encoding of a label. Those that browsers refuse to read, for fear of scripts, are read as if nothing were said: an error
/// page is to be seen.
pub(super) fn known(label: &[u8]) -> Option<&'static Encoding> {
    Encoding::for_label(label).filter(|encoding| *encoding != REPLACEMENT)
}
