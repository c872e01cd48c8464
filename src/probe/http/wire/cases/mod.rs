//! Answers as servers send them, good and bad, and what each is. One list for two uses: the parser is tested with every split
//! of each, here, and the whole probe with each over TCP and TLS, in `tests/conformance`. Therefore no word of either crate.

mod bodies;
mod heads;

use Is::{Fault, Whole};

/// An answer and what follows it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// The request's method is HEAD.
    pub(crate) to_head: bool,
    pub(crate) then: Then,
    pub(crate) is: Is,
}

/// What the server does when it has sent everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Closes,
    Resets,
    /// Keeps the connection open, for another request that never comes.
    Stays,
}

/// How an answer is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Is {
    /// Complete, with this status and so many bytes of body.
    Whole(u16, u64),
    /// Wrong, for this reason; the error tells this.
    Fault(&'static str, &'static str),
}

fn case(name: &'static str, bytes: impl Into<Vec<u8>>, is: Is) -> Case {
    Case { name, bytes: bytes.into(), to_head: false, then: Then::Closes, is }
}

/// `200 OK` with `fields`, each with its line end, and `body`.
fn ok(fields: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}")
}

/// A chunked answer: `body` with its framing.
fn chunked(body: &str) -> String {
    ok("Transfer-Encoding: chunked\r\n", body)
}

impl Case {
    fn of_head(self) -> Self {
        Self { to_head: true, ..self }
    }

    fn stays(self) -> Self {
        Self { then: Then::Stays, ..self }
    }

    fn resets(self) -> Self {
        Self { then: Then::Resets, ..self }
    }
}

const HEAD_CUT: Is = Fault("connect", "closed the connection before a whole answer");
const NO_ANSWER: Is = Fault("connect", "closed the connection before it answered");
const HEAD_TOO_LARGE: Is = Fault("too_large", "a head that is too large");
const BODY_CUT: Is = Fault("protocol", "the body is broken: it ends after 5 bytes, before its last chunk");
const NOT_HTTP: Is = Fault("protocol", "does not answer in HTTP/1");
const BAD_HEAD: Is = Fault("protocol", "an answer with a broken head: ");
const ABOUT_LENGTH: Is = Fault("protocol", "a broken head: a line that may be about its length");
const BAD_CHUNK: Is = Fault("protocol", "the body is broken: ");
const HELLO: Is = Whole(200, 5);
const LENGTH: &str = "Content-Length: 5\r\n";

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    [
        heads::interim(),
        bodies::without_body(),
        bodies::lengths(),
        bodies::until_close(),
        bodies::chunks(),
        bodies::bad_chunks(),
        bodies::codings(),
        heads::heads(),
        heads::odd_lines(),
        heads::lines_about_length(),
        heads::line_ends(),
        heads::limits(),
        heads::other(),
        bodies::ends(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
