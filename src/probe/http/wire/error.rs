//! What can be wrong with an answer.

use crate::model::Reason;
use crate::probe::failure::Failure;

/// Why an answer cannot be taken for one. The variants name the place, the texts what a person would look for there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::probe) enum WireError {
    /// The connection ended before the first byte.
    NoAnswer,
    /// It ended inside the head, or after an interim one.
    HeadCut,
    /// More than [`MAX_HEAD`](super::head::MAX_HEAD) bytes, interim heads included.
    HeadTooLarge,
    /// More than [`MAX_FIELDS`](super::head::MAX_FIELDS).
    TooManyFields,
    /// It does not begin with `HTTP/1.`.
    NotHttp,
    /// The head breaks the grammar in a way that cannot be passed over.
    BadHead(&'static str),
    /// Below 100.
    BadStatus(u16),
    /// Its length cannot be known.
    BadFraming(&'static str),
    /// The chunks break the grammar.
    BadChunk(&'static str),
    /// The connection ended inside the body.
    BodyCut { got: u64, want: Option<u64> },
}

impl WireError {
    /// The failure that `peer` has caused.
    pub(super) fn failure(self, peer: &str) -> Failure {
        let (reason, error) = match self {
            Self::NoAnswer => (Reason::Connect, format!("{peer} closed the connection before it answered")),
            Self::HeadCut => (Reason::Connect, format!("{peer} closed the connection before a whole answer")),
            Self::HeadTooLarge => {
                (Reason::TooLarge, format!("{peer} sends a head that is too large, over 64 KiB"))
            }
            Self::TooManyFields => {
                (Reason::TooLarge, format!("{peer} sends a head with more than 512 headers"))
            }
            Self::NotHttp => (Reason::Protocol, format!("{peer} does not answer in HTTP/1")),
            Self::BadHead(why) => {
                (Reason::Protocol, format!("{peer} sends an answer with a broken head: {why}"))
            }
            Self::BadStatus(status) => {
                (Reason::Protocol, format!("{peer} sends an answer with a broken head: status {status:03}"))
            }
            Self::BadFraming(why) | Self::BadChunk(why) => {
                (Reason::Protocol, format!("the body is broken: {why}"))
            }
            Self::BodyCut { got, want: Some(want) } => {
                (Reason::Protocol, format!("the body is broken: it ends after {got} of {want} bytes"))
            }
            Self::BodyCut { got, want: None } => (
                Reason::Protocol,
                format!("the body is broken: it ends after {got} bytes, before its last chunk"),
            ),
        };
        Failure::new(reason, error)
    }
}
