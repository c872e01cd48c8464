//! How long a body is (RFC 9112, section 6.3).

use super::error::WireError;
use crate::model::settings::HttpVersion;
use crate::probe::head::Head;

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// There is none.
    Empty,
    /// After so many bytes, at least one.
    Length(u64),
    /// After the last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

impl Framing {
    /// How the answer with this `head` goes on. What follows the head of an answer to HEAD is no body, whatever it says.
    pub(super) fn of(head: &Head, to_head: bool) -> Result<Self, WireError> {
        if to_head || head.status < 200 || matches!(head.status, 204 | 304) {
            return Ok(Self::Empty);
        }
        if head.values("transfer-encoding").next().is_some() {
            return coded(head);
        }
        Ok(match length(head)? {
            Some(0) => Self::Empty,
            Some(length) => Self::Length(length),
            None => Self::UntilClose,
        })
    }
}

/// A transfer coding overrides a length. Only `chunked` has been asked for, since only that needs no asking.
fn coded(head: &Head) -> Result<Framing, WireError> {
    // Section 6.1: such a message is faulty, for intermediaries of 1.0 do not know what it means.
    if head.version == HttpVersion::V1_0 {
        return Err(WireError::BadFraming("a transfer coding in HTTP/1.0"));
    }
    let mut framing = Framing::UntilClose;
    // Empty list elements do not count (RFC 9110, section 5.6.1.2).
    for coding in head.items("transfer-encoding").filter(|coding| !coding.is_empty()) {
        if framing == Framing::Chunked {
            return Err(WireError::BadFraming("a transfer coding on top of chunked"));
        }
        if coding.eq_ignore_ascii_case(b"chunked") {
            framing = Framing::Chunked;
        } else if !coding.eq_ignore_ascii_case(b"identity") {
            return Err(WireError::BadFraming("a transfer coding that was not asked for"));
        }
    }
    Ok(framing)
}

/// Several lengths are one when they are equal.
fn length(head: &Head) -> Result<Option<u64>, WireError> {
    let mut length = None;
    for item in head.items("content-length") {
        let number = number(item).ok_or(WireError::BadFraming("its Content-Length is no number"))?;
        if length.is_some_and(|length| length != number) {
            return Err(WireError::BadFraming("it has several Content-Lengths"));
        }
        length = Some(number);
    }
    Ok(length)
}

/// Digits and nothing else: Rust's own parser would take a sign.
fn number(item: &[u8]) -> Option<u64> {
    let digits = !item.is_empty() && item.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(item).ok()?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::super::head::parse;
    use super::*;

    fn framing(version: &str, status: u16, fields: &str) -> Result<Framing, WireError> {
        let head = parse(format!("{version} {status} X\r\n{fields}\r\n").as_bytes()).unwrap();
        Framing::of(&head, false)
    }

    #[test]
    fn the_rules_of_the_rfc_are_applied_in_its_order() {
        let of = |fields| framing("HTTP/1.1", 200, fields);

        assert_eq!(of(""), Ok(Framing::UntilClose));
        assert_eq!(of("Content-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(of("Content-Length: 0\r\n"), Ok(Framing::Empty));
        assert_eq!(of("Content-Length: 5, 5\r\nContent-Length: 5\r\n"), Ok(Framing::Length(5)));
        assert_eq!(of("Content-Length: 5\r\nTransfer-Encoding: CHUNKED\r\n"), Ok(Framing::Chunked));
        assert_eq!(of("Transfer-Encoding: chunked,\r\n"), Ok(Framing::Chunked));
        assert_eq!(of("Transfer-Encoding: identity\r\n"), Ok(Framing::UntilClose));
    }

    #[test]
    fn some_answers_have_no_body_whatever_they_say() {
        for status in [101, 204, 304] {
            assert_eq!(framing("HTTP/1.1", status, "Content-Length: 5\r\n"), Ok(Framing::Empty), "{status}");
        }
        let head = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").unwrap();
        assert_eq!(Framing::of(&head, true), Ok(Framing::Empty));
    }

    #[test]
    fn a_length_that_cannot_be_relied_on_is_an_error() {
        for fields in [
            "Content-Length: 5, 6\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length:\r\n",
            "Content-Length: 5,\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked, chunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
        ] {
            assert!(framing("HTTP/1.1", 200, fields).is_err(), "{fields:?}");
        }
        assert!(framing("HTTP/1.0", 200, "Transfer-Encoding: chunked\r\n").is_err());
    }
}
