//! From the bytes of a body to its text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::label::known;
use super::media_type::{Kind, MediaType};
use super::prescan;

/// The text of `body`, which is in what its mark of byte order says, or else its `content_type`, or else the document itself in
/// the way of its kind. Without any of them it is UTF-8 where it reads as such, and Windows-1252 where it does not. What cannot
/// be read becomes U+FFFD.
pub(in crate::probe) fn text<'b>(body: &'b [u8], content_type: Option<&[u8]>) -> Cow<'b, str> {
    let media_type = content_type.map(MediaType::parse).unwrap_or_default();
    let said = media_type.charset.and_then(known).filter(|encoding| may_be(encoding, body));
    let said = said.or_else(|| said_inside(body, media_type.kind));
    // It looks for the mark of byte order by itself.
    let (text, _, _) = said.unwrap_or_else(|| guess(body)).decode(body);
    text
}

/// The text of `bytes` that are no document and say nothing of themselves: UTF-8 where they read as such, and Windows-1252 where
/// they do not. No byte changes how those behind it are read.
pub(in crate::probe) fn plain(bytes: &[u8]) -> Cow<'_, str> {
    let (text, _) = guess(bytes).decode_without_bom_handling(bytes);
    text
}

/// What the document says of itself, as the standard of its kind has it. Scripts, style sheets, JSON and plain text say nothing.
fn said_inside(body: &[u8], kind: Kind) -> Option<&'static Encoding> {
    match kind {
        Kind::Html => prescan::html(body),
        Kind::Xml => prescan::xml(body),
        // Browsers look into it, too (MIME Sniffing, section 7).
        Kind::Unknown if body.trim_ascii_start().starts_with(b"<") => prescan::html(body),
        Kind::Unknown | Kind::Other => None,
    }
}

/// Text in UTF-16 has a NUL in each letter of ASCII. A body that has none and is UTF-8 is a page whose header is wrong, and whatever
/// it says would be hidden by believing that.
fn may_be(encoding: &'static Encoding, body: &[u8]) -> bool {
    let is_wide = encoding == UTF_16LE || encoding == UTF_16BE;
    !is_wide || body.is_empty() || body.contains(&0) || std::str::from_utf8(body).is_err()
}

/// UTF-8, unless more of what is not ASCII speaks against it than for it: a stray byte makes no other text of a page.
fn guess(body: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(body).is_ok() {
        return UTF_8;
    }
    let (mut letters, mut strays) = (0_usize, 0_usize);
    let mut chunks = body.utf8_chunks().peekable();
    while let Some(chunk) = chunks.next() {
        letters += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        // The last one may be a letter of which the end was not read.
        let is_cut = chunks.peek().is_none() && is_beginning(chunk.invalid());
        strays += usize::from(!chunk.invalid().is_empty() && !is_cut);
    }
    if strays > letters { WINDOWS_1252 } else { UTF_8 }
}

/// Whether `bytes` could be the beginning of a letter.
fn is_beginning(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
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
    fn what_is_no_document_is_read_as_it_is() {
        for (bytes, expected) in [
            (&b"Gr\xc3\xb6\xc3\x9fe"[..], "Größe"),
            (b"Gr\xf6\xdfe", "Größe"),
            (b"\xef\xbb\xbfok", "\u{feff}ok"),
            (b"\xff\xfeok", "ÿþok"),
            (b"<meta charset=shift_jis>Gr\xc3\xb6\xc3\x9fe", "<meta charset=shift_jis>Größe"),
        ] {
            assert_eq!(plain(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_meta_element_says_nothing_about_the_charset() {
        for (page, content_type) in [
            ("<script src=\"a.js?charset=utf-16\" charset=\"utf-16\"></script>Größe", "text/html"),
            ("<script>var url = '/api?charset=shift_jis';</script>Größe", "text/html"),
            ("<link rel=stylesheet charset=utf-16 href=a.css>Größe", "text/html"),
            ("<a charset=utf-16 href=b>Größe</a>", "text/html"),
            ("<form accept-charset=shift_jis>Größe</form>", "text/html"),
            ("<!-- <meta charset=utf-16> -->Größe", "text/html"),
            ("<style>@charset \"utf-16\";</style>Größe", "text/html"),
            ("<meta name=description content=\"charset=shift_jis\">Größe", "text/html"),
            ("<meta http-equiv=refresh content=\"0; url=/?charset=shift_jis\">Größe", "text/html"),
            ("<title>charset=utf-16</title>Größe", "text/html"),
            ("<metadata charset=shift_jis>Größe", "text/html"),
            ("<meta charset=shift_jis>Größe", "text/plain"),
            ("<meta charset=shift_jis>Größe", "application/xhtml+xml"),
            ("@charset \"shift_jis\"; /* charset=utf-16 */ .größe {}", "text/css"),
            ("{\"a\": \"charset=utf-16\", \"b\": \"Größe\"}", "application/json"),
            ("<meta charset=shift_jis> \"Größe\"", "application/json"),
            ("charset=utf-16 Größe", ""),
        ] {
            assert_eq!(text(page.as_bytes(), Some(content_type.as_bytes())), page, "{content_type}");
        }
    }

    #[test]
    fn a_stray_byte_does_not_make_another_text_of_a_page() {
        assert_eq!(text(b"Gr\xc3\xb6\xc3\x9fe \xff", None), "Größe \u{fffd}");
        assert_eq!(text(b"plain \x96 text", None), "plain – text");
    }

    #[test]
    fn a_charset_that_hides_the_text_is_not_believed() {
        assert_eq!(text(b"<h1>error</h1>", Some(b"text/html; charset=utf-16")), "<h1>error</h1>");
        assert_eq!(text(b"<h1>error</h1>", Some(b"text/html; charset=iso-2022-kr")), "<h1>error</h1>");
        assert_eq!(text(b"e\0r\0r\0", Some(b"text/html; charset=utf-16")), "err");
    }

    #[test]
    fn a_text_that_is_cut_inside_a_character_is_still_utf8() {
        assert_eq!(text(b"Gr\xc3\xb6\xc3", None), "Grö\u{fffd}");
        assert_eq!(text(b"Gr\xc3", None), "Gr\u{fffd}");
    }
}
