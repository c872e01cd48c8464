//! The chunked transfer coding (RFC 9112, section 7.1), taken off byte by byte.

use super::error::WireError;

/// Bytes of extensions and trailers, which nobody reads.
const MAX_EXTRA: usize = 16 * 1024;

/// Hexadecimal digits of a size: what fits into 64 bits.
const MAX_DIGITS: u8 = 16;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The first digit of a size.
    Start,
    /// Another digit, or what ends it.
    Size,
    /// Blanks behind the size.
    Blank,
    /// An extension.
    Extension,
    /// The line feed behind the size.
    SizeEnd,
    Data,
    DataReturn,
    DataFeed,
    /// The first byte of a trailer, or of the empty line at the end.
    Line,
    Trailer,
    TrailerFeed,
    LastFeed,
    Nothing,
}

/// A body on its way.
#[derive(Debug)]
pub(super) struct Chunks {
    next: Next,
    /// Of the chunk.
    left: u64,
    digits: u8,
    extra: usize,
    fault: Option<WireError>,
}

impl Chunks {
    /// Before the first chunk.
    pub(super) fn new() -> Self {
        Self { next: Next::Start, left: 0, digits: 0, extra: 0, fault: None }
    }

    /// The last chunk, its trailers and the empty line have come.
    pub(super) fn is_done(&self) -> bool {
        self.next == Next::Nothing
    }

    /// Why nothing more can be taken.
    pub(super) fn fault(&self) -> Option<WireError> {
        self.fault
    }

    /// Moves the data in `bytes` to their beginning; says how many that are, and how many bytes belonged to the body.
    pub(super) fn take(&mut self, bytes: &mut [u8]) -> (usize, usize) {
        let (mut read, mut kept) = (0, 0);
        while read < bytes.len() && !self.is_done() && self.fault.is_none() {
            if self.next == Next::Data {
                let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len() - read);
                bytes.copy_within(read..read + count, kept);
                (read, kept) = (read + count, kept + count);
                self.left -= count as u64;
                if self.left == 0 {
                    self.next = Next::DataReturn;
                }
            } else {
                match self.step(bytes[read]) {
                    Ok(next) => self.next = next,
                    Err(fault) => self.fault = Some(fault),
                }
                read += 1;
            }
        }
        (kept, read)
    }

    fn step(&mut self, byte: u8) -> Result<Next, WireError> {
        match self.next {
            Next::Start | Next::Size if byte.is_ascii_hexdigit() => self.digit(byte),
            Next::Size | Next::Blank | Next::Extension | Next::SizeEnd => self.size_line(byte),
            Next::DataReturn if byte == b'\r' => Ok(Next::DataFeed),
            Next::DataFeed if byte == b'\n' => {
                (self.left, self.digits) = (0, 0);
                Ok(Next::Start)
            }
            Next::DataReturn | Next::DataFeed => Err(WireError::BadChunk("a chunk is longer than its size")),
            Next::Line | Next::Trailer | Next::TrailerFeed | Next::LastFeed => self.trailer(byte),
            Next::Start | Next::Data | Next::Nothing => Err(WireError::BadChunk("a chunk has no size")),
        }
    }

    fn digit(&mut self, byte: u8) -> Result<Next, WireError> {
        self.digits += 1;
        if self.digits > MAX_DIGITS {
            return Err(WireError::BadChunk("the size of a chunk has too many digits"));
        }
        let digit = char::from(byte).to_digit(16).unwrap_or_default();
        self.left = self.left << 4 | u64::from(digit);
        Ok(Next::Size)
    }

    /// Lines end with CR LF here, and only so: who disagrees about line ends disagrees about what is body.
    fn size_line(&mut self, byte: u8) -> Result<Next, WireError> {
        match (self.next, byte) {
            (Next::Size | Next::Blank | Next::Extension, b'\r') => Ok(Next::SizeEnd),
            (Next::Size | Next::Blank, b';') => self.skip(Next::Extension),
            (Next::Size | Next::Blank, b' ' | b'\t') => self.skip(Next::Blank),
            (Next::Extension, b'\t' | b' '..=b'~' | 0x80..) => self.skip(Next::Extension),
            (Next::SizeEnd, b'\n') if self.left == 0 => Ok(Next::Line),
            (Next::SizeEnd, b'\n') => Ok(Next::Data),
            _ => Err(WireError::BadChunk("the size of a chunk is no number")),
        }
    }

    /// Nobody reads a trailer, so nobody minds what is in it, but for what might be a line end to others. A CR before the line
    /// end counts as a blank, as in a head.
    fn trailer(&mut self, byte: u8) -> Result<Next, WireError> {
        match (self.next, byte) {
            (Next::Line, b'\r') => Ok(Next::LastFeed),
            (Next::LastFeed, b'\n') => Ok(Next::Nothing),
            (Next::Trailer | Next::TrailerFeed, b'\r') => self.skip(Next::TrailerFeed),
            (Next::TrailerFeed, b'\n') => Ok(Next::Line),
            (Next::Line | Next::Trailer, 0 | b'\n') | (Next::LastFeed | Next::TrailerFeed, _) => {
                Err(WireError::BadChunk("a trailer has a NUL or a line end of its own"))
            }
            _ => self.skip(Next::Trailer),
        }
    }

    fn skip(&mut self, next: Next) -> Result<Next, WireError> {
        self.extra += 1;
        if self.extra > MAX_EXTRA {
            return Err(WireError::BadChunk("its extensions and trailers are too long"));
        }
        Ok(next)
    }
}
