//! The head of an answer over HTTP/1, from its text.

use httparse::{EMPTY_HEADER, Header, ParserConfig, Response, Status};

use super::error::WireError;
use super::mend::{self, Mended};
use crate::model::settings::HttpVersion;
use crate::probe::head::{Field, Head};

/// Bytes of all heads of an answer, interim ones included.
pub(super) const MAX_HEAD: usize = 64 * 1024;

/// Header fields of one head.
pub(super) const MAX_FIELDS: usize = 512;

/// Reads a head that ends with an empty line. One that breaks the grammar is read without the lines that do.
pub(super) fn parse(text: &[u8]) -> Result<Head, WireError> {
    match parse_strictly(text) {
        Err(WireError::BadHead(_)) => {
            let Mended { text, skipped } = mend::mend(text)?;
            let mut head = parse_strictly(&text)?;
            head.skipped = skipped;
            Ok(head)
        }
        parsed => parsed,
    }
}

fn parse_strictly(text: &[u8]) -> Result<Head, WireError> {
    let mut few = [EMPTY_HEADER; 64];
    match parse_with(text, &mut few) {
        // Rare, and only then is the large table paid for.
        Err(WireError::TooManyFields) => parse_with(text, &mut vec![EMPTY_HEADER; MAX_FIELDS]),
        parsed => parsed,
    }
}

fn parse_with<'t>(text: &'t [u8], table: &mut [Header<'t>]) -> Result<Head, WireError> {
    let mut config = ParserConfig::default();
    config.allow_spaces_after_header_name_in_responses(true);
    config.allow_obsolete_multiline_headers_in_responses(true);
    let mut response = Response::new(table);
    match config.parse_response(&mut response, text) {
        Ok(Status::Complete(_)) => {}
        // The empty line is there, so nothing can be missing but a line end.
        Ok(Status::Partial) => return Err(WireError::BadHead("a line does not end")),
        Err(httparse::Error::TooManyHeaders) => return Err(WireError::TooManyFields),
        Err(error) => return Err(WireError::BadHead(in_words(error))),
    }
    let status = response.code.unwrap_or_default();
    if status < 100 {
        return Err(WireError::BadStatus(status));
    }
    let version = if response.version == Some(0) { HttpVersion::V1_0 } else { HttpVersion::V1_1 };
    let fields = response.headers.iter().map(|header| place_of(header, text)).collect();
    Ok(Head::new(status, version, unfolded(text), fields))
}

fn place_of(header: &Header<'_>, text: &[u8]) -> Field {
    let place = |part: &[u8]| {
        let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
        start..start + part.len()
    };
    // An empty value may be any empty slice.
    let value = if header.value.is_empty() { 0..0 } else { place(header.value) };
    Field { name: place(header.name.as_bytes()), value }
}

fn in_words(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::Version => "its version is none",
        httparse::Error::Status => "its status line is none",
        httparse::Error::HeaderName => "a header has no name that a header can have",
        httparse::Error::HeaderValue => "a header has a value that no header can have",
        _ => "a line does not end where it should",
    }
}

/// A copy in which a value that goes on over several lines goes on after a blank instead (RFC 9112, section 5.2). Other line
/// ends turn into blanks, too, and nobody looks at them.
fn unfolded(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }).collect()
}

/// Where the head at the beginning of `text` ends, behind its empty line. The first `seen` bytes have been looked through
/// before, in vain.
pub(super) fn end_of_head(text: &[u8], seen: usize) -> Option<usize> {
    let from = seen.saturating_sub(2);
    let breaks = text.iter().enumerate().skip(from).filter(|(_, byte)| **byte == b'\n');
    breaks.map(|(at, _)| at + 1).find_map(|next| match text.get(next..)? {
        [b'\n', ..] => Some(next + 1),
        [b'\r', b'\n', ..] => Some(next + 2),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str, name: &str) -> Vec<String> {
        let head = parse(text.as_bytes()).unwrap();
        head.values(name).map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn fields_are_found_in_any_case_each_time_they_stand_there() {
        let text = "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX:\r\nset-cookie:b \r\nFolded: one\r\n two\r\n\r\n";

        assert_eq!(values(text, "Set-Cookie"), ["a", "b"]);
        assert_eq!(values(text, "x"), [""]);
        assert_eq!(values(text, "folded"), ["one   two"]);
        assert_eq!(values(text, "absent"), [""; 0]);
    }

    #[test]
    fn the_end_is_found_wherever_the_pieces_break() {
        for (text, end) in [("a\r\n\r\nrest", 5), ("a\n\nrest", 3), ("a\n\r\nrest", 4), ("a\r\n\nrest", 4)] {
            for seen in 0..end {
                assert_eq!(end_of_head(text.as_bytes(), seen), Some(end), "{text:?} from {seen}");
            }
            assert_eq!(end_of_head(&text.as_bytes()[..end - 1], 0), None);
        }
    }

    #[test]
    fn there_may_be_many_fields_but_not_any_number() {
        let head = |count| format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(count));

        assert_eq!(values(&head(MAX_FIELDS), "a").len(), MAX_FIELDS);
        let error = parse(head(MAX_FIELDS + 1).as_bytes()).unwrap_err();
        assert_eq!(error, WireError::TooManyFields);
    }
}
