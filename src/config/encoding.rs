//! Text files are UTF-8; what others are is said by name.

use super::problem::Problem;
use super::value::Origin;

pub(super) const REMEDY: &str = "save the file as UTF-8 (in Excel: \"CSV UTF-8\")";

/// The text of a file, without a byte order mark.
pub(super) fn utf8<'a>(bytes: &'a [u8], origin: &Origin) -> Result<&'a str, Problem> {
    refuse_utf16(bytes, origin)?;
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        let line = u32::try_from(before + 1).unwrap_or(u32::MAX);
        Problem::new(origin.at(line), "is not UTF-8", REMEDY)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Windows calls it "Unicode". By its mark, or else by the NULs that every second byte is where the text begins with ASCII.
pub(super) fn refuse_utf16(bytes: &[u8], origin: &Origin) -> Result<(), Problem> {
    let is_utf16 = match bytes {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => true,
        [a, b, c, d, ..] => matches!(
            [*a == 0, *b == 0, *c == 0, *d == 0],
            [true, false, true, false] | [false, true, false, true]
        ),
        _ => false,
    };
    if is_utf16 { Err(Problem::new(origin.clone(), "is UTF-16", REMEDY)) } else { Ok(()) }
}
