//! Names and values of headers, as RFC 9110 has them.

use crate::config::fault::Fault;

/// What we write ourselves, or what would change the meaning of the bytes that follow.
const OURS: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A name that we may send.
pub(super) fn to_send(name: &str) -> Result<(), Fault> {
    checked_name(name)?;
    if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        let message = "frames the request or its connection, which a check does by itself";
        return Err(Fault::new(message, "remove it"));
    }
    Ok(())
}

/// A token (section 5.6.2).
pub(super) fn checked_name(name: &str) -> Result<String, Fault> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        let remedy = "use letters, digits and dashes, for example \"content-type\"";
        return Err(Fault::new("is no name of a header", remedy));
    }
    Ok(name.to_owned())
}

/// Section 5.5: a line break would begin another header.
pub(super) fn value(value: &str) -> Result<String, Fault> {
    if value.chars().any(|letter| letter.is_control() && letter != '\t') {
        return Err(Fault::new("has a control character", "leave out line breaks and the like"));
    }
    Ok(value.to_owned())
}
