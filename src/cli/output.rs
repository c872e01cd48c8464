//! Where answers go: stdout, as wide and as colourful as it may be.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use crate::report::Page;

/// Stdout, buffered.
pub(super) struct Output {
    writer: BufWriter<Pipe<StdoutLock<'static>>>,
    page: Page,
}

/// Takes what nobody reads any more, as `uptime-monitor audit | head` does not: the answer stays what it is, and so does its exit
/// code.
struct Pipe<W> {
    writer: W,
    is_closed: bool,
}

impl<W: Write> Pipe<W> {
    fn new(writer: W) -> Self {
        Self { writer, is_closed: false }
    }

    fn unless_closed<T>(&mut self, done: io::Result<T>, otherwise: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(otherwise)
            }
            done => done,
        }
    }
}

impl<W: Write> Write for Pipe<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_closed {
            return Ok(bytes.len());
        }
        let written = self.writer.write(bytes);
        self.unless_closed(written, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let flushed = self.writer.flush();
        self.unless_closed(flushed, ())
    }
}

/// Says something on stderr, beside the answer. Nobody can be told that this fails.
pub(super) fn tell(what: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "{what}");
}

/// Stderr, also where nobody reads it any more.
pub(super) fn stderr() -> impl Write {
    Pipe::new(io::stderr())
}

impl Output {
    /// The process's stdout. Colours are for terminals only, and not where `NO_COLOR` is set (<https://no-color.org>).
    pub(super) fn stdout() -> Self {
        let is_terminal = io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let page = Page { width: terminal_width(), colour: is_terminal && !no_color };
        Self { writer: BufWriter::new(Pipe::new(io::stdout().lock())), page }
    }

    pub(super) fn page(&self) -> Page {
        self.page
    }

    /// Writes what is still in the buffer.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// `None` where stdout is no terminal. A terminal that says it is 0 wide, as some in containers do, does not know.
fn terminal_width() -> Option<u16> {
    comfy_table::Table::new().width().filter(|width| *width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes one write, and is closed then.
    struct Closing(Vec<u8>);

    impl Write for Closing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !self.0.is_empty() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.0.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let mut pipe = Pipe::new(Closing(Vec::new()));

        pipe.write_all(b"first").unwrap();
        pipe.write_all(b"second").unwrap();
        pipe.flush().unwrap();

        assert_eq!(pipe.writer.0, b"first");
    }

    #[test]
    fn a_disk_that_is_full_is_a_failure() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        assert!(Pipe::new(Full).write_all(b"x").is_err());
    }
}
