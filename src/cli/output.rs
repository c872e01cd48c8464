//! Where answers go: stdout, as wide and as colourful as it may be.

use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use crate::report::Page;

/// Stdout, buffered.
pub(super) struct Output {
    writer: BufWriter<StdoutLock<'static>>,
    page: Page,
}

impl Output {
    /// The process's stdout. Colours are for terminals only, and not where `NO_COLOR` is set (<https://no-color.org>).
    pub(super) fn stdout() -> Self {
        let is_terminal = io::stdout().is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let page = Page { width: terminal_width(), colour: is_terminal && !no_color };
        Self { writer: BufWriter::new(io::stdout().lock()), page }
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
