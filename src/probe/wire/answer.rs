//! One answer, from the bytes of the wire in whatever pieces they come. No I/O.

use super::chunks::Chunks;
use super::error::WireError;
use super::framing::Framing;
use super::head::{Head, MAX_HEAD, end_of_head};

const NAME: &[u8] = b"HTTP/1.";

/// Reads heads first, then takes the framing off the body.
#[derive(Debug)]
pub(super) struct Answer {
    to_head: bool,
    stage: Stage,
    /// Of heads, the current one from `start`; then of the body, not yet taken.
    buffer: Vec<u8>,
    start: usize,
    /// Bytes of the current head that have been searched for its end.
    seen: usize,
    /// Bytes of body so far.
    got: u64,
}

#[derive(Debug)]
enum Stage {
    Head,
    Length { left: u64, want: u64 },
    Chunked(Chunks),
    UntilClose,
    Done,
    Failed(WireError),
}

impl Answer {
    /// The answer to a request whose method is HEAD, or another one.
    pub(super) fn new(to_head: bool) -> Self {
        Self { to_head, stage: Stage::Head, buffer: Vec::new(), start: 0, seen: 0, got: 0 }
    }

    /// Takes more bytes of the head; the final head, once it is whole. Interim ones (1xx) are passed over, except for 101,
    /// after which nothing that we understand would follow.
    pub(super) fn head(&mut self, bytes: &[u8]) -> Result<Option<Head>, WireError> {
        self.buffer.extend_from_slice(bytes);
        let found = self.next_head();
        if let Err(fault) = found {
            self.stage = Stage::Failed(fault);
        }
        found
    }

    fn next_head(&mut self) -> Result<Option<Head>, WireError> {
        while let Some(end) = self.end_of_head()? {
            let head = Head::parse(&self.buffer[self.start..end])?;
            (self.start, self.seen) = (end, 0);
            if head.status >= 200 || head.status == 101 {
                self.begin_body(&head)?;
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// Where the current head ends in the buffer, when it does.
    fn end_of_head(&mut self) -> Result<Option<usize>, WireError> {
        // Empty lines before the status line are tolerated (RFC 9112, section 2.2 has it for requests).
        while self.seen == 0 && matches!(self.buffer.get(self.start), Some(b'\r' | b'\n')) {
            self.start += 1;
        }
        let text = &self.buffer[self.start..];
        let known = text.len().min(NAME.len());
        // An empty line may have filled all that is allowed.
        if text[..known] != NAME[..known] {
            return Err(WireError::NotHttp);
        }
        let end = end_of_head(text, self.seen).map(|end| self.start + end);
        if end.unwrap_or(self.buffer.len()) > MAX_HEAD {
            return Err(WireError::HeadTooLarge);
        }
        self.seen = text.len();
        Ok(end)
    }

    fn begin_body(&mut self, head: &Head) -> Result<(), WireError> {
        self.stage = match Framing::of(head, self.to_head)? {
            Framing::Empty => Stage::Done,
            Framing::Length(want) => Stage::Length { left: want, want },
            Framing::Chunked => Stage::Chunked(Chunks::new()),
            Framing::UntilClose => Stage::UntilClose,
        };
        Ok(())
    }

    /// What came behind the head, with its framing.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        let mut rest = std::mem::take(&mut self.buffer);
        rest.drain(..self.start.min(rest.len()));
        rest
    }

    /// Moves the body in `bytes` to their beginning; says how many bytes that are. What lies behind the answer is dropped.
    pub(super) fn body(&mut self, bytes: &mut [u8]) -> usize {
        let kept = match &mut self.stage {
            Stage::Head | Stage::Done | Stage::Failed(_) => 0,
            Stage::UntilClose => bytes.len(),
            Stage::Length { left, .. } => {
                let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= count as u64;
                count
            }
            Stage::Chunked(chunks) => chunks.take(bytes).0,
        };
        self.got += kept as u64;
        self.advance();
        kept
    }

    fn advance(&mut self) {
        match &self.stage {
            Stage::Length { left: 0, .. } => self.stage = Stage::Done,
            Stage::Chunked(chunks) if chunks.is_done() => self.stage = Stage::Done,
            Stage::Chunked(chunks) => {
                if let Some(fault) = chunks.fault() {
                    self.stage = Stage::Failed(fault);
                }
            }
            _ => {}
        }
    }

    /// The connection has ended: is that the end of the answer, too?
    pub(super) fn end(&mut self) -> Result<(), WireError> {
        let fault = match &self.stage {
            Stage::Done => return Ok(()),
            Stage::UntilClose => {
                self.stage = Stage::Done;
                return Ok(());
            }
            Stage::Failed(fault) => *fault,
            Stage::Head if self.buffer.is_empty() => WireError::NoAnswer,
            Stage::Head => WireError::HeadCut,
            Stage::Length { want, .. } => WireError::BodyCut { got: self.got, want: Some(*want) },
            Stage::Chunked(_) => WireError::BodyCut { got: self.got, want: None },
        };
        self.stage = Stage::Failed(fault);
        Err(fault)
    }

    /// It is whole; what follows is none of it.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    /// Why it can't be read.
    pub(super) fn fault(&self) -> Option<WireError> {
        match self.stage {
            Stage::Failed(fault) => Some(fault),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    const CHUNKED: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
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
    fn a_body_has_its_length_and_no_byte_more() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more";
        assert_eq!(verdict(answer), (Some(200), b"hello".to_vec(), None));

        let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello";
        let fault = WireError::BodyCut { got: 5, want: Some(100) };
        assert_eq!(verdict(cut), (Some(200), b"hello".to_vec(), Some(fault)));
    }

    #[test]
    fn a_body_without_a_length_ends_with_the_connection() {
        let answer = b"\r\nHTTP/1.1 200 OK\nUpgrade: websocket\n\nto the end";

        assert_eq!(verdict(answer), (Some(200), b"to the end".to_vec(), None));
    }

    #[test]
    fn what_comes_before_a_broken_chunk_counts() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
        for rest in [
            "zz\r\n",
            "\r\n",
            "5\nhello",
            "11111111111111111\r\n",
            "3\r\nabcd\r\n0\r\n\r\n",
            "0\r\na\nb\r\n\r\n",
        ] {
            let (status, body, fault) = verdict(format!("{head}{rest}").as_bytes());

            assert_eq!((status, &body[..5]), (Some(200), &b"hello"[..]), "{rest:?}");
            assert!(matches!(fault, Some(WireError::BadChunk(_))), "{rest:?}: {fault:?}");
        }
    }

    #[test]
    fn extensions_and_trailers_are_bounded() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let long = "x".repeat(20_000);
        for rest in [format!("5;{long}\r\nhello\r\n0\r\n\r\n"), format!("0\r\na: {long}\r\n\r\n")] {
            let (_, _, fault) = read(false, [format!("{head}{rest}").as_bytes()]);

            assert!(matches!(fault, Some(WireError::BadChunk(_))), "{fault:?}");
        }
    }

    #[test]
    fn heads_are_bounded_however_they_grow() {
        let field = format!("A: {}\r\n", "b".repeat(1_000));
        let hints = "HTTP/1.1 103 Early Hints\r\n\r\n";
        for flood in
            [format!("HTTP/1.1 200 OK\r\n{}", field.repeat(70)), hints.repeat(3_000), "\r\n".repeat(40_000)]
        {
            assert_eq!(read(false, flood.as_bytes().chunks(999)).2, Some(WireError::HeadTooLarge));
        }
        let large = format!("HTTP/1.1 204 No Content\r\n{}\r\n", field.repeat(60));
        assert_eq!(read(false, [large.as_bytes()]), (Some(204), Vec::new(), None));
    }

    #[test]
    fn other_protocols_are_told_by_their_first_byte_that_differs() {
        for banner in ["SSH-2.0-x", "220 smtp ready\r\n", "<html>", "HTTP/2 200\r\n\r\n", "HTTQ", "\0"] {
            assert_eq!(verdict(banner.as_bytes()).2, Some(WireError::NotHttp), "{banner:?}");
        }
        assert_eq!(verdict(b"HTTP/1.1 099 X\r\n\r\n").2, Some(WireError::BadStatus(99)));
    }

    #[test]
    fn the_answer_to_head_has_no_body() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";

        assert_eq!(read(true, [&answer[..]]), (Some(200), Vec::new(), None));
    }
}
