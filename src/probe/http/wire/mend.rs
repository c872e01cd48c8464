//! A head with lines in it that are no header lines: which of them may be passed over, and which may not.
//!
//! Only a head that breaks the grammar comes here, so a good one pays nothing. RFC 9112 leaves it to us whether such a head
//! is refused; browsers show the page, and so does this. But two parties that disagree about where an answer ends can be
//! played off against each other, so whatever may be about its length stays an error, and so does what may be a line end
//! for one party and none for the other.

use super::error::WireError;
use crate::probe::head::Skipped;

/// Lines that are passed over and kept to be shown. The rest is counted.
const KEPT: usize = 8;

/// Bytes of such a line that are kept.
const LINE: usize = 200;

/// A head that is well formed, and what it took.
#[derive(Debug)]
pub(super) struct Mended {
    /// With the line ends of the RFC, and an empty line at the end.
    pub(super) text: Vec<u8>,
    pub(super) skipped: Skipped,
}

/// Takes the lines out of `text` that are no header lines. `text` ends with an empty line.
pub(super) fn mend(text: &[u8]) -> Result<Mended, WireError> {
    let mut lines = text.split(|byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    let mut mended = Mended { text: status_line(trimmed(first)?)?, skipped: Skipped::default() };
    let mut field: Option<Field> = None;
    for line in lines {
        let line = trimmed(line)?;
        if line.is_empty() {
            break;
        }
        match &mut field {
            Some(field) if is_folded(line) => field.go_on(line)?,
            _ => {
                mended.take(field.replace(Field::begin(line)?));
            }
        }
    }
    mended.take(field);
    mended.text.extend_from_slice(b"\r\n");
    Ok(mended)
}

/// A line without its end. A CR in front of that counts as a blank (RFC 9112, section 2.2): lighttpd 1.4.69 leaves one behind
/// each trailer that its mod_proxy moves into the head.
fn trimmed(line: &[u8]) -> Result<&[u8], WireError> {
    let content = line.strip_suffix(b"\r").unwrap_or(line);
    let end = content.iter().rposition(|byte| *byte != b'\r').map_or(0, |at| at + 1);
    // Some end the head there.
    if end == 0 && !content.is_empty() {
        return Err(WireError::BadHead("a line of nothing but bare CRs"));
    }
    match content[..end].iter().find(|byte| matches!(byte, b'\r' | 0)) {
        Some(0) => Err(WireError::BadHead("a NUL")),
        Some(_) => Err(WireError::BadHead("a bare CR inside of a line")),
        None => Ok(&content[..end]),
    }
}

/// The status line with a version that we speak, without its reason phrase, which means nothing (RFC 9112, section 4).
fn status_line(line: &[u8]) -> Result<Vec<u8>, WireError> {
    let mut words = line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let version = words.next().unwrap_or_default();
    let minor = match version {
        b"HTTP/1.0" => 0,
        // A later one of the same kind is read as the highest that we know (RFC 9110, section 2.5).
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1'..=b'9'] => 1,
        _ => return Err(WireError::BadHead("its version is none")),
    };
    let status = words.next().unwrap_or_default();
    if status.len() != 3 || !status.iter().all(u8::is_ascii_digit) {
        return Err(WireError::BadHead("its status is no number of three digits"));
    }
    Ok([format!("HTTP/1.{minor} ").as_bytes(), status, b"\r\n"].concat())
}

/// The line goes on with the one before (RFC 9112, section 5.2).
fn is_folded(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

/// A line, and those that it goes on in.
#[derive(Debug)]
struct Field {
    bytes: Vec<u8>,
    is_good: bool,
}

impl Field {
    fn begin(line: &[u8]) -> Result<Self, WireError> {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let is_good = name.len() < line.len() && is_name(name) && is_value(&line[name.len() + 1..]);
        if !is_good && is_about_length(name) {
            return Err(WireError::BadHead("a line that may be about its length, and is no header line"));
        }
        Ok(Self { bytes: line.to_vec(), is_good })
    }

    fn go_on(&mut self, line: &[u8]) -> Result<(), WireError> {
        let was_good = self.is_good;
        self.is_good &= is_value(line);
        let name = self.bytes.split(|byte| *byte == b':').next().unwrap_or_default();
        // What goes on a line that is passed over is seen as a line of its own by some.
        let begins = line.split(|byte| *byte == b':').next().unwrap_or_default();
        if !self.is_good && (is_about_length(begins) || was_good && is_about_length(name)) {
            return Err(WireError::BadHead("a line that may be about its length, and is no header line"));
        }
        self.bytes.push(b' ');
        self.bytes.extend_from_slice(line.trim_ascii_start());
        Ok(())
    }
}

impl Mended {
    fn take(&mut self, field: Option<Field>) {
        match field {
            Some(Field { bytes, is_good: true }) => {
                self.text.extend_from_slice(&bytes);
                self.text.extend_from_slice(b"\r\n");
            }
            Some(Field { bytes, is_good: false }) => self.skipped.add(&bytes),
            None => {}
        }
    }
}

impl Skipped {
    fn add(&mut self, line: &[u8]) {
        self.count += 1;
        if self.lines.len() < KEPT {
            self.lines.push(line[..line.len().min(LINE)].to_vec());
        }
    }
}

/// A token, and the blanks before the colon that a recipient takes away (RFC 9112, section 5.1).
fn is_name(name: &[u8]) -> bool {
    let token = name.trim_ascii_end();
    let blanks = &name[token.len()..];
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !token.is_empty() && token.iter().all(is_token) && blanks.iter().all(|byte| matches!(byte, b' ' | b'\t'))
}

fn is_value(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..))
}

/// Whether somebody might read the name of a framing field in `name`, whatever stands around and between its letters.
fn is_about_length(name: &[u8]) -> bool {
    let letters: Vec<u8> =
        name.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    [b"contentlength".as_slice(), b"transferencoding"]
        .iter()
        .any(|framing| letters.windows(framing.len()).any(|part| part == *framing))
}
