//! Listens to what a server says on one connection, for the facts that the libraries above keep to themselves.
//!
//! tokio-postgres knows the SQLSTATE of each error and diesel-async does not hand it on; without it only texts would tell one
//! error from another, and a server tells them in its own language. And only the first messages of a session say which
//! process serves it, which tells whether a pooler stands between. That anything comes at all, on whichever connection, is the
//! server's [`Pulse`].
//!
//! [`Tap`] wraps the stream of a connection and copies nothing: it looks at the type and the length of each message, and reads
//! those of two types (PostgreSQL's documentation, "Message Formats": `ErrorResponse`, `BackendKeyData`).

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

use crate::clock::Clock;

/// Of an error, no more is kept.
const LONGEST_MESSAGE: usize = 8 * 1024;

/// An error as the server tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Five letters and digits.
    pub(super) sqlstate: String,
    /// In the server's language.
    pub(super) message: String,
    /// The function of the server that found it: a name of its source, in no language.
    pub(super) routine: String,
    /// The server ends the session with it.
    pub(super) fatal: bool,
}

/// When a server was last heard, on any connection of this process. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Pulse {
    begun: Instant,
    /// Milliseconds since then.
    last: Arc<AtomicU64>,
}

impl Pulse {
    pub(super) fn new() -> Self {
        Self { begun: Clock::instant(), last: Arc::default() }
    }

    fn beat(&self) {
        self.last.store(self.begun.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// How long nothing has come.
    pub(super) fn silent_for(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.begun.elapsed().saturating_sub(last)
    }
}

/// What was heard. Clones hear the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<Heard>>);

#[derive(Debug, Default)]
struct Heard {
    error: Option<Said>,
    process: Option<i32>,
}

impl Ear {
    /// The last error since the start, or since [`forget`](Self::forget).
    pub(super) fn error(&self) -> Option<Said> {
        self.heard().error.clone()
    }

    /// The number of the server's process, as it was told at the start.
    pub(super) fn process(&self) -> Option<i32> {
        self.heard().process
    }

    /// Errors up to now belong to work that is over.
    pub(super) fn forget(&self) {
        self.heard().error = None;
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, kind: u8, body: &[u8]) {
        match kind {
            b'E' => self.heard().error = Some(said(body)),
            b'K' => self.heard().process = body.first_chunk().map(|number| i32::from_be_bytes(*number)),
            _ => {}
        }
    }
}

/// Fields of an `ErrorResponse`: a letter and a text that ends with a zero, for each.
fn said(body: &[u8]) -> Said {
    let mut said = Said::default();
    for field in body.split(|byte| *byte == 0) {
        let Some((kind, text)) = field.split_first() else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        match kind {
            b'C' => said.sqlstate = text,
            b'M' => said.message = text,
            b'R' => said.routine = text,
            // The severity in English, whatever the language; since PostgreSQL 9.6.
            b'V' => said.fatal = text != "ERROR",
            _ => {}
        }
    }
    said
}

/// A stream of messages of the server, and who listens.
pub(super) struct Tap<S> {
    stream: S,
    /// `None` once what comes is encrypted.
    ear: Option<Ear>,
    pulse: Pulse,
    reader: Reader,
}

impl<S> Tap<S> {
    pub(super) fn new(stream: S, ear: Ear, pulse: Pulse) -> Self {
        Self { stream, ear: Some(ear), pulse, reader: Reader::default() }
    }

    /// For the stream below TLS.
    fn stop_listening(&mut self) {
        self.ear = None;
    }
}

/// Finds messages in pieces of any size.
#[derive(Default)]
struct Reader {
    /// The answer to the question for TLS is one letter and no message. It can only be the first.
    begun: bool,
    head: Vec<u8>,
    /// Of the present message, what has not come yet.
    missing: usize,
    /// Of the present message, if we want to know.
    body: Vec<u8>,
}

impl Reader {
    fn read(&mut self, mut piece: &[u8], ear: &Ear) {
        if !self.begun && piece.first().is_some_and(|letter| matches!(letter, b'S' | b'N')) {
            piece = &piece[1..];
        }
        self.begun = self.begun || !piece.is_empty();
        while !piece.is_empty() {
            piece = if self.head.len() < 5 { self.read_head(piece, ear) } else { self.read_body(piece, ear) };
        }
    }

    /// A letter, and the length of the message without that letter.
    fn read_head<'a>(&mut self, piece: &'a [u8], ear: &Ear) -> &'a [u8] {
        let (taken, rest) = piece.split_at(piece.len().min(5 - self.head.len()));
        self.head.extend_from_slice(taken);
        if let [_, length @ ..] = self.head.as_slice()
            && let Ok(length) = <[u8; 4]>::try_from(length)
        {
            self.missing = (u32::from_be_bytes(length) as usize).saturating_sub(4);
            self.end_message(ear);
        }
        rest
    }

    fn read_body<'a>(&mut self, piece: &'a [u8], ear: &Ear) -> &'a [u8] {
        let (taken, rest) = piece.split_at(piece.len().min(self.missing));
        if matches!(self.head[0], b'E' | b'K') {
            let room = LONGEST_MESSAGE.saturating_sub(self.body.len());
            self.body.extend_from_slice(&taken[..taken.len().min(room)]);
        }
        self.missing -= taken.len();
        self.end_message(ear);
        rest
    }

    fn end_message(&mut self, ear: &Ear) {
        if self.missing == 0 {
            ear.hear(self.head[0], &self.body);
            self.head.clear();
            self.body.clear();
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let piece = &buffer.filled()[before..];
        if !piece.is_empty() {
            this.pulse.beat();
        }
        if let Some(ear) = &this.ear {
            this.reader.read(piece, ear);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        piece: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, piece)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Tap<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

/// Makes TLS of a stream, and listens to what it decrypts instead of what it is made of.
pub(super) struct TapTls<C> {
    pub(super) connector: C,
    pub(super) ear: Ear,
    /// Set when there is an encrypted connection.
    pub(super) encrypted: Arc<AtomicBool>,
}

impl<S, C> TlsConnect<Tap<S>> for TapTls<C>
where
    C: TlsConnect<Tap<S>>,
    C::Future: Send + 'static,
{
    type Stream = Tap<C::Stream>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Stream, Self::Error>> + Send>>;

    fn connect(self, mut stream: Tap<S>) -> Self::Future {
        stream.stop_listening();
        self.encrypted.store(true, Ordering::Relaxed);
        let (ear, pulse) = (self.ear, stream.pulse.clone());
        let connecting = self.connector.connect(stream);
        Box::pin(async move { Ok(Tap::new(connecting.await?, ear, pulse)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind][..], &length, body].concat()
    }

    /// As PostgreSQL 15 with lc_messages = 'de_DE.UTF-8' and 'ja_JP.UTF-8' sends it.
    fn error(severity: &str, code: &str, text: &str, routine: &str) -> Vec<u8> {
        let fields = format!("SFEHLER\0V{severity}\0C{code}\0M{text}\0Fpostgres.c\0L1\0R{routine}\0\0");
        message(b'E', fields.as_bytes())
    }

    fn heard_in_pieces(stream: &[u8], size: usize) -> Ear {
        let (ear, mut reader) = (Ear::default(), Reader::default());
        stream.chunks(size).for_each(|piece| reader.read(piece, &ear));
        ear
    }

    #[test]
    fn an_error_is_heard_in_any_language_and_whatever_the_pieces() {
        let said = "Verklemmung (Deadlock) entdeckt \u{30c7}\u{30c3}\u{30c9}";
        let stream = [
            b"N".to_vec(),
            message(b'R', &[0, 0, 0, 0]),
            message(b'K', &[0, 0, 1, 2, 9, 9, 9, 9]),
            message(b'Z', b"I"),
            message(b'D', &[b'E'; 70_000]),
            message(b'I', &[]),
            error("ERROR", "40P01", said, "DeadLockReport"),
            message(b'Z', b"I"),
        ]
        .concat();

        for size in [1, 2, 3, 5, 7, 4_096, 1_000_000] {
            let ear = heard_in_pieces(&stream, size);
            let heard = ear.error().unwrap();
            assert_eq!((heard.sqlstate.as_str(), heard.fatal), ("40P01", false), "{size}");
            assert_eq!((heard.message.as_str(), heard.routine.as_str()), (said, "DeadLockReport"), "{size}");
            assert_eq!(ear.process(), Some(258), "{size}");
        }
    }

    #[test]
    fn the_last_error_counts_and_what_is_over_is_forgotten() {
        let two =
            [error("ERROR", "42501", "a", "x"), error("FATAL", "57P01", "b", "ProcessInterrupts")].concat();
        let ear = heard_in_pieces(&two, 16);

        let heard = ear.error().unwrap();
        assert!(heard.sqlstate == "57P01" && heard.fatal, "{heard:?}");
        ear.forget();
        assert_eq!(ear.error(), None);
    }

    #[test]
    fn a_message_without_an_end_costs_no_memory() {
        let (ear, mut reader) = (Ear::default(), Reader::default());
        reader.read(&[b'E', 0x7f, 0xff, 0xff, 0xff], &ear);

        (0..100).for_each(|_| reader.read(&[b'M'; 4_096], &ear));

        assert!(reader.body.len() <= LONGEST_MESSAGE && ear.error().is_none());
    }
}
