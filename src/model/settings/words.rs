//! The small vocabularies of a site's settings, each as it stands in files and in the database.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Statuses from one to another, both included: `200`, `2xx` or `200-299`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    /// 100 to 999.
    pub from: u16,
    /// Not less than `from`, at most 999.
    pub to: u16,
}

/// A text that names no statuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no status: write one like 200, a class like \"2xx\", or a range like \"200-299\"")]
pub struct BadStatus(pub String);

impl StatusRange {
    /// `200` to `299`.
    pub const SUCCESS: Self = Self { from: 200, to: 299 };

    /// Whether `status` lies in it.
    pub fn contains(self, status: u16) -> bool {
        (self.from..=self.to).contains(&status)
    }
}

impl FromStr for StatusRange {
    type Err = BadStatus;

    fn from_str(text: &str) -> Result<Self, BadStatus> {
        let bad = || BadStatus(text.to_owned());
        let text = text.trim();
        if let Some(class) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
            let class: u16 = class.parse().map_err(|_| bad())?;
            return (1..=9)
                .contains(&class)
                .then_some(Self { from: class * 100, to: class * 100 + 99 })
                .ok_or_else(bad);
        }
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let number =
            |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..=999).contains(status));
        match (number(from), number(to)) {
            (Some(from), Some(to)) if from <= to => Ok(Self { from, to }),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (from, to) if from == to => write!(f, "{from}"),
            (from, to) if from % 100 == 0 && to == from + 99 => write!(f, "{}xx", from / 100),
            (from, to) => write!(f, "{from}-{to}"),
        }
    }
}

impl Serialize for StatusRange {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        if self.from == self.to { out.serialize_u16(self.from) } else { out.collect_str(self) }
    }
}

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(u16),
            Text(String),
        }
        let text = match Written::deserialize(input)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(de::Error::custom)
    }
}

/// Which addresses of a host are connected to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IpFamily {
    /// Both families race (RFC 8305).
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

/// A version of HTTP that a server may answer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HttpVersion {
    /// HTTP/1.0.
    #[serde(rename = "HTTP/1.0")]
    V1_0,
    /// HTTP/1.1.
    #[serde(rename = "HTTP/1.1")]
    V1_1,
    /// HTTP/2.
    #[serde(rename = "HTTP/2")]
    V2,
}

impl HttpVersion {
    /// As in a status line; HTTP/2 has none, and is called as everywhere else.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_0 => "HTTP/1.0",
            Self::V1_1 => "HTTP/1.1",
            Self::V2 => "HTTP/2",
        }
    }
}

/// Whether an answer has to come, or must not come, over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsPolicy {
    /// The last hop is https.
    Required,
    /// The last hop is http.
    Forbidden,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_read_as_they_are_written() {
        for text in ["200", "2xx", "400-404", "9xx"] {
            assert_eq!(text.parse::<StatusRange>().unwrap().to_string(), text);
        }
        assert_eq!("200-299".parse::<StatusRange>().unwrap(), StatusRange::SUCCESS);
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for text in ["", "20", "0xx", "2x", "xx", "1000", "299-200", "200-", "-1", "2xx-3xx", "ok"] {
            assert!(text.parse::<StatusRange>().is_err(), "{text:?}");
        }
    }
}
