//! Percent-encoding, as libpq reads it in a URL.

use super::{UrlFault, fault};

/// The text, or `None` where it is empty.
pub(super) fn decoded(text: &str) -> Result<Option<String>, UrlFault> {
    Ok(Some(percent_decoded(text)?).filter(|text| !text.is_empty()))
}

/// In a URL of libpq a plus is a plus.
pub(super) fn percent_decoded(text: &str) -> Result<String, UrlFault> {
    let wrong = || fault("has a % that begins no code of two hexadecimal digits", "write a % as %25");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
        bytes.push((high * 16 + low) as u8);
    }
    if bytes.contains(&0) {
        return Err(fault("has a %00, which no value may hold", "leave it out"));
    }
    String::from_utf8(bytes)
        .map_err(|_| fault("has %XX codes that are no UTF-8", "escape the bytes of UTF-8"))
}
