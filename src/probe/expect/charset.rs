//! From the bytes of a body to its text.

use std::borrow::Cow;
use std::sync::LazyLock;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use regex::bytes::Regex;

/// Bytes of a page in which it may say what it is written in, as browsers have it (HTML, section 13.2.3.2).
const PRESCAN: usize = 1024;

/// `charset=` in a `Content-Type` or in a page's `meta` element.
static CHARSET: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i-u)charset\s*=\s*["']?\s*([-a-z0-9_:.]+)"#).ok());

/// The text of `body`, which is in what its mark of byte order says, or else its `content_type`, or else the page itself. Without
/// any of them it is UTF-8 where it reads as such, and Windows-1252 where it does not. What cannot be read becomes U+FFFD.
pub(super) fn text<'b>(body: &'b [u8], content_type: Option<&[u8]>) -> Cow<'b, str> {
    let said = content_type.and_then(named).or_else(|| named(&body[..body.len().min(PRESCAN)]));
    let guess = || if is_utf8(body) { UTF_8 } else { WINDOWS_1252 };
    // It looks for the mark of byte order by itself.
    let (text, _, _) = said.unwrap_or_else(guess).decode(body);
    text
}

fn named(text: &[u8]) -> Option<&'static Encoding> {
    let found = CHARSET.as_ref()?.captures(text)?;
    Encoding::for_label(found.get(1)?.as_bytes())
}

/// Also when it was cut inside of its last character.
fn is_utf8(body: &[u8]) -> bool {
    std::str::from_utf8(body).map_or_else(|error| error.error_len().is_none(), |_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_in_the_charset_that_it_says() {
        for (body, content_type, expected) in [
            (&b"Gr\xc3\xb6\xc3\x9fe"[..], None, "Größe"),
            (b"Gr\xf6\xdfe", None, "Größe"),
            (b"Gr\xf6\xdfe", Some(&b"text/plain; charset=ISO-8859-1"[..]), "Größe"),
            (b"Gr\xc3\xb6\xc3\x9fe", Some(b"text/plain; Charset = \"utf-8\""), "Größe"),
            (b"\xff\xfeG\0r\0\xf6\0", Some(b"text/plain; charset=utf-8"), "Grö"),
            (b"\xef\xbb\xbfok", Some(b"text/plain; charset=latin1"), "ok"),
            (b"<meta charset=\"shift_jis\">\x93\xfa", Some(b"text/html"), "<meta charset=\"shift_jis\">日"),
            (b"ok", Some(b"text/plain; charset=none-such"), "ok"),
            (b"", None, ""),
        ] {
            assert_eq!(text(body, content_type), expected, "{body:?}");
        }
    }

    #[test]
    fn a_text_that_is_cut_inside_a_character_is_still_utf8() {
        assert_eq!(text(b"Gr\xc3\xb6\xc3", None), "Grö\u{fffd}");
    }
}
