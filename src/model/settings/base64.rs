//! Bytes that are no text, as a text.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Bytes, in base64 (RFC 4648, section 4) in files and in the database.
#[derive(Clone, PartialEq, Eq)]
pub struct Base64(pub Vec<u8>);

/// A text that is no base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not base64")]
pub struct BadBase64;

impl fmt::Display for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(&self.0))
    }
}

/// It may hold a secret.
impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Base64({} bytes)", self.0.len())
    }
}

/// Line breaks between the digits are left out, for tools put some there.
impl FromStr for Base64 {
    type Err = BadBase64;

    fn from_str(text: &str) -> Result<Self, BadBase64> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        BASE64_STANDARD.decode(digits).map(Self).map_err(|_| BadBase64)
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::super::RequestSettings;
    use super::*;

    fn with(body: &[u8]) -> RequestSettings {
        let mut settings = RequestSettings::default();
        settings.set_body(body.to_vec());
        settings
    }

    #[test]
    fn a_body_keeps_every_byte_and_stands_as_a_text_where_it_is_one() {
        for (body, json) in [
            (&b"{\"a\":1}\n"[..], r#"{"body":"{\"a\":1}\n"}"#),
            ("Größe\r\n".as_bytes(), "{\"body\":\"Größe\\r\\n\"}"),
            (b"\x1f\x8b\x08\x00\xff", r#"{"body_base64":"H4sIAP8="}"#),
            // UTF-8, and nothing that a text column of PostgreSQL could hold.
            (b"\0\x01a", r#"{"body_base64":"AAFh"}"#),
            (b"", "{}"),
        ] {
            let settings = with(body);

            let text = serde_json::to_string(&settings).unwrap();

            assert_eq!(text, json);
            assert_eq!(settings.body_bytes(), body);
            assert_eq!(serde_json::from_str::<RequestSettings>(&text).unwrap(), settings);
        }
    }

    #[test]
    fn base64_may_have_line_breaks_and_nothing_else() {
        assert_eq!("H4sI\r\nAP8=\n".parse::<Base64>().unwrap().0, b"\x1f\x8b\x08\x00\xff");
        assert!("H4sI*P8=".parse::<Base64>().is_err());
    }
}
