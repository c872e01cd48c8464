//! Keeps the request's secrets out of what is stored and shown: a server may send back whatever it was sent.

const HIDDEN: &str = "***";

/// The texts to hide, longest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mask<'s> {
    secrets: &'s [String],
}

impl<'s> Mask<'s> {
    pub(super) fn of(secrets: &'s [String]) -> Self {
        Self { secrets }
    }

    /// `text` without them.
    pub(super) fn text(self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| {
            if text.contains(secret.as_str()) { text.replace(secret.as_str(), HIDDEN) } else { text }
        })
    }

    /// The beginning of `text`, at most `limit` bytes, without them: also without the first part of one that the limit cuts.
    pub(super) fn beginning(self, text: &[u8], limit: usize) -> String {
        let mut beginning = self.text(String::from_utf8_lossy(text).into_owned());
        if beginning.len() > limit {
            beginning.truncate(beginning.floor_char_boundary(limit));
        }
        beginning
    }
}
