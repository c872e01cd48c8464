//! One answer, from the bytes of the wire in whatever pieces they come. No I/O.

use super::chunks::Chunks;
use super::error::WireError;
use super::framing::Framing;
use super::head::{MAX_HEAD, end_of_head, parse};
use crate::probe::head::Head;

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
            let head = parse(&self.buffer[self.start..end])?;
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
mod tests;
