//! What holds for every sequence of bytes, in every split. `PROPTEST_CASES` says how many are tried.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

/// One wrong thing done to an answer.
#[derive(Debug, Clone)]
enum Mutation {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Cut(Index),
}

/// What parsers stumble over.
const WORDS: [&[u8]; 16] = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"\xff",
    b" ",
    b":",
    b";",
    b",",
    b"0",
    b"ffffffffffffffff",
    b"HTTP/1.1 ",
    b"HTTP/1.1 103 X\r\n\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
];

impl Mutation {
    fn any() -> impl Strategy<Value = Self> {
        let (at, byte, size) = (any::<Index>(), any::<u8>(), 1..40_usize);
        let text = prop_oneof![vec(byte, 1..8), select(&WORDS[..]).prop_map(<[u8]>::to_vec)];
        prop_oneof![
            (at.clone(), byte).prop_map(|(at, byte)| Self::Set(at, byte)),
            (at.clone(), text).prop_map(|(at, text)| Self::Insert(at, text)),
            (at.clone(), size.clone()).prop_map(|(at, size)| Self::Remove(at, size)),
            (at.clone(), size, 1..50_usize).prop_map(|(at, size, times)| Self::Repeat(at, size, times)),
            at.prop_map(Self::Cut),
        ]
    }

    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |at: &Index| at.index(bytes.len() + 1);
        let part = |at: &Index, size: usize| -> Range<usize> {
            let start = place(at);
            start..(start + size).min(bytes.len())
        };
        match self {
            Self::Set(at, byte) => {
                let part = part(at, 1);
                bytes[part].fill(*byte);
            }
            Self::Insert(at, text) => {
                let at = place(at);
                bytes.splice(at..at, text.iter().copied());
            }
            Self::Remove(at, size) => {
                let part = part(at, *size);
                bytes.drain(part);
            }
            Self::Repeat(at, size, times) => {
                let part = part(at, *size);
                let copies = bytes[part.clone()].repeat(*times);
                bytes.splice(part.end..part.end, copies);
            }
            Self::Cut(at) => bytes.truncate(place(at)),
        }
    }
}

/// An answer of the table with some mutations, with none, or nothing like an answer.
fn answers() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<Vec<u8>> =
        cases::all().into_iter().map(|case| case.bytes).filter(|bytes| bytes.len() < 4_000).collect();
    let mutated = (select(known), vec(Mutation::any(), 0..6)).prop_map(|(mut bytes, mutations)| {
        mutations.iter().for_each(|mutation| mutation.apply(&mut bytes));
        bytes
    });
    let words = vec(select(&WORDS[..]), 0..60).prop_map(|words| words.concat());
    prop_oneof![8 => mutated, 1 => words, 1 => vec(any::<u8>(), 0..2_000)]
}

/// `bytes` in pieces that begin at `places`.
fn pieces<'b>(bytes: &'b [u8], places: &[Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

proptest! {
    #[test]
    fn the_verdict_on_any_bytes_is_the_same_in_every_split(
        bytes in answers(),
        places in vec(any::<Index>(), 0..12),
        to_head in any::<bool>(),
    ) {
        let whole = read(to_head, [bytes.as_slice()]);

        prop_assert_eq!(&read(to_head, bytes.chunks(1)), &whole);
        prop_assert_eq!(&read(to_head, pieces(&bytes, &places)), &whole);
        let (_, body, _) = whole;
        prop_assert!(body.len() <= bytes.len());
    }

    #[test]
    fn no_flood_makes_a_head_grow_past_its_bound(start in answers(), word in vec(any::<u8>(), 1..200), size in 1..4_096_usize) {
        let flood = word.repeat(3 * MAX_HEAD / word.len());
        let mut answer = Answer::new(false);
        for piece in [start.as_slice()].into_iter().chain(flood.chunks(size)) {
            if !matches!(answer.head(piece), Ok(None)) {
                break;
            }
            prop_assert!(answer.buffer.len() <= MAX_HEAD);
        }
        prop_assert!(!matches!(answer.stage, Stage::Head), "{} bytes and no verdict", answer.buffer.len());
    }
}
