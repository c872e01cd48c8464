//! Values and parts of them as problems show them.

use super::secret::hide_password;

/// Most characters of a value that a problem shows.
const SHOWN_CHARS: usize = 80;

/// `text` in quotes, on one line, without control characters, without a password and of bearable length.
pub(super) fn quoted(text: &str) -> String {
    shown(text, |beginning| format!("{beginning:?}"))
}

/// The same without quotes, for what has its own.
pub(super) fn unquoted(text: &str) -> String {
    shown(text, str::to_owned)
}

fn shown(text: &str, quote: impl Fn(&str) -> String) -> String {
    let safe = hide_password(text);
    match safe.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}… ({} characters)", quote(&safe[..end]), safe.chars().count()),
        None => quote(&safe),
    }
}
