//! Sends and reads over one connection.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::ReadBuf;

use super::expect::TcpExpect;
use crate::clock::Clock;
use crate::probe::failure::Failure;
use crate::probe::trace::Trace;
use crate::probe::transport::{self, Transport};

/// Read at once.
const BLOCK: usize = 8 * 1024;

/// Of an answer up to this size every piece is looked at when it comes.
const SMALL: usize = 4 * 1024;

/// Nothing more has come for so long: then a piece of a larger answer is looked at, too.
const QUIET: Duration = Duration::from_millis(20);

/// After a look there is quiet for as many times as long as it took, so that a server that sends a byte at a time keeps us busy
/// for a twentieth of the time.
const REST: u32 = 20;

/// How long a server that asked for our certificate has for refusing it, where nothing else tells that it accepts it.
const OBJECTION: Duration = Duration::from_secs(1);

/// One connection and what is still to be sent over it.
pub(super) struct Conversation<'t> {
    transport: Transport,
    unsent: Bytes,
    /// Why no more of it can be sent. What the other side has to say counts all the same.
    broken: Option<io::Error>,
    trace: &'t Trace,
}

impl<'t> Conversation<'t> {
    pub(super) fn new(transport: Transport, send: Bytes, trace: &'t Trace) -> Self {
        Self { transport, unsent: send, broken: None, trace }
    }

    /// Sends everything.
    pub(super) async fn send(&mut self) -> Result<(), Failure> {
        let sent = poll_fn(|cx| self.poll_send(cx)).await;
        sent.map_err(|error| self.lost(&error))
    }

    /// Over TLS 1.3 a server judges our certificate when the handshake is over for us. It accepts it, or has not asked for one, where it
    /// sends a ticket or a byte, or does not object for a while.
    pub(super) async fn accepted(&mut self) -> Result<(), Failure> {
        self.trace.complete();
        if !self.transport.may_be_refused() || !self.trace.was_asked() {
            return Ok(());
        }
        let accepted = tokio::time::timeout(OBJECTION, poll_fn(|cx| self.poll_accepted(cx))).await;
        accepted.unwrap_or(Ok(()))
    }

    /// Reads until `expect` is settled, the other side closes, or there are more than `limit` bytes. Sends meanwhile: either side
    /// may begin.
    pub(super) async fn listen(&mut self, expect: &TcpExpect, limit: u64) -> Result<(), Failure> {
        let mut block = vec![0; BLOCK];
        let (mut came, mut judged, mut quiet) = (0, 0, QUIET);
        loop {
            match self.read(&mut block, (came > judged).then_some(quiet)).await {
                // What came before the connection was lost may be all that is expected.
                Err(_) if came > judged && self.is_settled(expect) => return Ok(()),
                Err(failure) => return Err(failure),
                Ok(Some(0)) => return self.closed(came),
                Ok(Some(count)) => {
                    came += count;
                    if !self.take(&block[..count], limit) {
                        return Ok(());
                    }
                    if !is_due(came, judged) {
                        continue;
                    }
                }
                Ok(None) => {}
            }
            judged = came;
            let began = Clock::instant();
            if self.is_settled(expect) {
                return Ok(());
            }
            quiet = quiet_after(Clock::instant() - began);
        }
    }

    /// Says good-bye, which TLS wants, as far as that goes at once.
    pub(super) async fn close(&mut self) {
        poll_fn(|cx| {
            let _ = self.transport.poll_shutdown(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Bytes that came; 0 at the end. `None`: nothing more within `patience`.
    async fn read(&mut self, block: &mut [u8], patience: Option<Duration>) -> Result<Option<usize>, Failure> {
        let read = poll_fn(|cx| self.poll_read(cx, block));
        match patience {
            Some(patience) => tokio::time::timeout(patience, read).await.ok().transpose(),
            None => read.await.map(Some),
        }
    }

    /// Notes what came. False: it passes the limit.
    fn take(&self, piece: &[u8], limit: u64) -> bool {
        self.trace.answering();
        self.trace.received(piece.len());
        // Nobody knows yet whether this is the last piece. Where it is, the time of the answer ends here.
        self.trace.complete();
        self.trace.read(piece, limit, usize::try_from(limit).unwrap_or(usize::MAX))
    }

    fn is_settled(&self, expect: &TcpExpect) -> bool {
        self.trace.look(|body| expect.is_settled(&body.kept))
    }

    /// The end is an end, with what came until then. Where nothing came because nothing could be sent, that is why.
    fn closed(&self, came: usize) -> Result<(), Failure> {
        match &self.broken {
            Some(error) if came == 0 => Err(self.lost(error)),
            _ => Ok(()),
        }
    }

    fn lost(&self, error: &io::Error) -> Failure {
        self.transport.lost(error, &self.trace.peer())
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            match ready!(self.transport.poll_write(cx, &self.unsent))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                sent => drop(self.unsent.split_to(sent)),
            }
        }
        self.transport.poll_flush(cx)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, block: &mut [u8]) -> Poll<Result<usize, Failure>> {
        if self.broken.is_none()
            && let Poll::Ready(Err(error)) = self.poll_send(cx)
        {
            self.broken = Some(error);
        }
        let mut buffer = ReadBuf::new(block);
        Poll::Ready(match ready!(self.transport.poll_read(cx, &mut buffer)) {
            Ok(()) => Ok(buffer.filled().len()),
            Err(error) if transport::is_end(&error) => Ok(0),
            Err(error) => Err(self.lost(&error)),
        })
    }

    fn poll_accepted(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        match self.poll_read(cx, &mut [0]) {
            Poll::Ready(read) => Poll::Ready(read.map(drop)),
            Poll::Pending if self.transport.has_ticket() => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// Whether the answer so far is worth a look, which costs time in proportion to all of it: a server that sends a byte at a time must
/// not make us spend that for each.
fn is_due(came: usize, judged: usize) -> bool {
    came <= SMALL || came - judged >= judged / 8
}

/// How long nothing must have come before the next look, after one that took as long as `look`.
fn quiet_after(look: Duration) -> Duration {
    QUIET.max(look.saturating_mul(REST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_sends_a_byte_at_a_time_costs_a_twentieth_of_our_time_at_most() {
        for (look_us, quiet_ms) in [(0, 20), (900, 20), (5_000, 100), (50_000, 1_000)] {
            assert_eq!(quiet_after(Duration::from_micros(look_us)), Duration::from_millis(quiet_ms));
        }
    }

    #[test]
    fn of_a_large_answer_each_further_eighth_is_looked_at() {
        assert!(is_due(1, 0) && is_due(SMALL, SMALL - 1) && is_due(9_000, 8_000));
        assert!(!is_due(8_999, 8_000) && !is_due(SMALL + 1, SMALL));
    }
}
