//! Text from outside, made fit for an error: bounded, on one line, and without a character that moves a cursor.

use crate::pattern;

/// Of what was found.
pub(in crate::probe) const ACTUAL_CHARS: usize = 200;

/// The beginning of `text` in quotes, at most about `limit` characters of it. What is left out is a `…`.
pub(in crate::probe) fn quoted(text: &str, limit: usize) -> String {
    format!("\"{}\"", escaped(text, limit))
}

/// As [`quoted`], without quotes. A backslash or a quote stays as it is, for a pattern should look as it was written.
pub(crate) fn escaped(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut left = limit;
    for ch in text.chars() {
        if left == 0 {
            out.push('…');
            break;
        }
        let before = out.len();
        push(&mut out, ch);
        left = left.saturating_sub(out[before..].chars().count());
    }
    out
}

/// The beginning of `text`, which is fit for an error already.
pub(in crate::probe) fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn push(out: &mut String, ch: char) {
    if ch.is_control() || pattern::is_invisible(ch) { out.extend(ch.escape_default()) } else { out.push(ch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(quoted("äöü", 3), "\"äöü\"");
        assert_eq!(quoted("äöüß", 3), "\"äöü…\"");
        assert_eq!(cut("äöüß", 3), "äöü…");
        assert_eq!(cut("äöü", 3), "äöü");
    }

    #[test]
    fn a_text_from_outside_stays_on_its_line() {
        assert_eq!(escaped("a\r\n\tb\u{1b}[2J\0", 99), "a\\r\\n\\tb\\u{1b}[2J\\u{0}");
        assert_eq!(escaped("a\u{202e}b\u{2028}c\u{feff}", 99), "a\\u{202e}b\\u{2028}c\\u{feff}");
        assert_eq!(escaped(r#"^\d+ "x"$"#, 99), r#"^\d+ "x"$"#);
    }

    #[test]
    fn an_escape_counts_with_all_its_characters() {
        let text = "\0".repeat(1000);

        let escaped = escaped(&text, 20);

        assert!(escaped.chars().count() <= 26, "{escaped}");
    }
}
