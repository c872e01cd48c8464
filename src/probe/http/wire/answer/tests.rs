//! The parser by itself: every answer of the table in every split, and what no table can hold.

mod properties;

use super::*;
use crate::probe::http::wire::cases::{self, Case, Is, Then};

/// What comes of an answer: its status and body, or the fault, with the bytes of body before it.
type Verdict = (Option<u16>, Vec<u8>, Option<WireError>);

fn read<'a>(to_head: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Verdict {
    let mut answer = Answer::new(to_head);
    let (mut status, mut body) = (None, Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        if status.is_none() && answer.fault().is_none() {
            let Ok(Some(head)) = answer.head(&piece) else { continue };
            status = Some(head.status);
            piece = answer.rest();
        }
        let kept = answer.body(&mut piece);
        body.extend_from_slice(&piece[..kept]);
    }
    let fault = answer.end().err();
    (status, body, fault)
}

fn assert_is(case: &Case, (status, body, fault): &Verdict) {
    let failure = fault.map(|fault| fault.failure("it"));
    let matches = match (case.is, &failure) {
        (Is::Whole(status_due, bytes), None) => (*status, body.len() as u64) == (Some(status_due), bytes),
        (Is::Fault(reason, tells), Some(failure)) => {
            failure.reason.as_str() == reason && failure.error.contains(tells)
        }
        _ => false,
    };
    assert!(matches, "{}: {status:?}, {} bytes, {failure:?}; expected {:?}", case.name, body.len(), case.is);
}

/// Where an answer is broken in two: everywhere, and in a large one, which takes its time, at its ends and where a head becomes
/// too large.
fn splits(length: usize) -> impl Iterator<Item = usize> {
    let near = 40;
    let places = [0, MAX_HEAD, length];
    (0..=length).filter(move |at| length < 4_000 || places.iter().any(|place| at.abs_diff(*place) < near))
}

#[test]
fn every_answer_of_the_table_is_the_same_however_it_is_split() {
    // What a reset does is not in the bytes.
    let cases = cases::all();
    assert!(cases.len() >= 120, "{} cases", cases.len());
    for case in cases.iter().filter(|case| case.then != Then::Resets) {
        let bytes = case.bytes.as_slice();
        let whole = read(case.to_head, [bytes]);
        assert_is(case, &whole);
        for size in [1, 2, 7, 2048] {
            assert_eq!(read(case.to_head, bytes.chunks(size)), whole, "{} by {size}", case.name);
        }
        for at in splits(bytes.len()) {
            let (one, other) = bytes.split_at(at);
            assert_eq!(read(case.to_head, [one, other]), whole, "{} split at {at}", case.name);
        }
    }
}

#[test]
fn an_answer_that_does_not_end_the_connection_is_known_to_be_over() {
    for case in cases::all().iter().filter(|case| case.then == Then::Stays) {
        let mut answer = Answer::new(case.to_head);
        let head = answer.head(&case.bytes);
        if let Ok(Some(_)) = head {
            let mut rest = answer.rest();
            answer.body(&mut rest);
        }
        assert!(answer.is_done() || answer.fault().is_some(), "{}: {answer:?}", case.name);
    }
}

/// The verdict on `bytes`, which is the same whole, byte by byte, and in two pieces wherever they break.
fn verdict(bytes: &[u8]) -> Verdict {
    let whole = read(false, [bytes]);
    assert_eq!(read(false, bytes.chunks(1)), whole, "byte by byte");
    for at in 0..bytes.len() {
        let (one, other) = bytes.split_at(at);
        assert_eq!(read(false, [one, other]), whole, "split at {at}");
    }
    whole
}

const CHUNKED: &[u8] =
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
    5;name=\"value\"\r\nhello\r\n0006 \r\n world\r\n0\r\nTrailer: yes\r\n\r\nexcess";

#[test]
fn interim_heads_are_passed_over_and_chunks_are_joined() {
    assert_eq!(verdict(CHUNKED), (Some(200), b"hello world".to_vec(), None));
}

#[test]
fn an_answer_that_is_cut_anywhere_is_never_whole() {
    let end = CHUNKED.len() - "excess".len();
    for at in 0..end {
        let (_, body, fault) = read(false, [&CHUNKED[..at]]);

        let got = body.len() as u64;
        assert!(
            matches!(fault, Some(WireError::NoAnswer | WireError::HeadCut))
                || fault == Some(WireError::BodyCut { got, want: None }),
            "cut at {at}: {fault:?}"
        );
    }
}

#[test]
fn what_comes_before_a_broken_chunk_counts() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    for rest in
        ["zz\r\n", "\r\n", "5\nhello", "11111111111111111\r\n", "3\r\nabcd\r\n0\r\n\r\n", "0\r\na\nb\r\n\r\n"]
    {
        let (status, body, fault) = verdict(format!("{head}{rest}").as_bytes());

        assert_eq!((status, &body[..5]), (Some(200), &b"hello"[..]), "{rest:?}");
        assert!(matches!(fault, Some(WireError::BadChunk(_))), "{rest:?}: {fault:?}");
    }
}
