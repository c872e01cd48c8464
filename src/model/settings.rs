//! How a site is requested and what is expected of its answer: `[site.request]`, `[site.tls]` and `[site.expect]`, and what sites
//! of one kind alone have.
//!
//! In JSON it has the keys and values of the configuration file. So it stands in the database, goes with each job, and is
//! written into exports; what is left at its default is left out. What is of one kind of check alone stands under a key of its
//! own there, by which the kind is known: `tcp`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use super::Kind;

mod base64;
mod duration;
mod secret;
mod tcp;
mod words;

pub use self::base64::Base64;
pub use self::tcp::TcpSettings;
pub use words::{HttpVersion, IpFamily, StatusRange, TlsPolicy, TlsVersion};

/// What a site says beyond its URL and its timeout. Validated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CheckSettings {
    /// What is sent.
    #[serde(skip_serializing_if = "is_default")]
    pub request: RequestSettings,
    /// Whom we trust and who we are.
    #[serde(skip_serializing_if = "is_default")]
    pub tls: TlsSettings,
    /// What makes the answer a good one.
    #[serde(skip_serializing_if = "is_default")]
    pub expect: Expectations,
    /// Of a site with a URL of `tcp` or `tls`, always, and of no other. Of `request`, such a site has `ip` and `hide` alone, and of
    /// `expect` what is said of the body and of the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpSettings>,
}

impl CheckSettings {
    /// Nothing but which kind it is.
    pub fn of_kind(kind: Kind) -> Self {
        let tcp = match kind {
            Kind::Http => None,
            Kind::Tcp => Some(TcpSettings::default()),
        };
        Self { tcp, ..Self::default() }
    }

    /// Whether they say nothing but which kind it is.
    pub fn is_plain(&self) -> bool {
        Kind::ALL.into_iter().any(|kind| *self == Self::of_kind(kind))
    }

    /// `None` where all of it is at its default.
    pub fn if_any(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }

    /// As it stands in the database and goes with each job. Equal settings have equal texts.
    pub fn to_text(&self) -> String {
        // Strings for keys and numbers that JSON has: nothing in it can fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// `[site.request]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestSettings {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH`, `DELETE` or `OPTIONS`.
    #[serde(skip_serializing_if = "is_get")]
    pub method: String,
    /// Sent as written, over our own where the name is the same. Names are unique but for case.
    #[serde(skip_serializing_if = "is_default")]
    pub headers: std::collections::BTreeMap<String, String>,
    /// Sent as it is, with the length that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The same for a body that is no readable text. Never together with `body`: [`RequestSettings::set_body`] chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<Base64>,
    /// Sent as `Authorization`. Never together with a bearer token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// Sent as `Authorization`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<String>,
    /// False: a redirect is an answer like any other.
    #[serde(skip_serializing_if = "is_true")]
    pub follow_redirects: bool,
    /// Hops that are followed at most. `None`: as many as `checker.max_redirects` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_redirects: Option<u32>,
    /// Which addresses of the host are connected to.
    #[serde(skip_serializing_if = "is_default")]
    pub ip: IpFamily,
    /// Texts that are shown nowhere, sorted: what `${NAME}` stood for in the URL is among them. Each has at least
    /// [`SHORTEST_SECRET`](super::secret::SHORTEST_SECRET) bytes.
    #[serde(skip_serializing_if = "is_default")]
    pub hide: Vec<String>,
}

/// A user and a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// Without a colon.
    pub username: String,
    /// May be empty.
    #[serde(default)]
    pub password: String,
}

/// `[site.tls]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// Certificates in PEM that are trusted instead of the system's. A server certificate that is one of them is trusted, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Our certificate and its chain in PEM. Never without the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_cert: Option<String>,
    /// The key of `client_cert` in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_key: Option<String>,
    /// Asked for (SNI) and looked for in the certificate, instead of the URL's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// `None`: what the library supports, 1.2 and 1.3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version: Option<TlsVersion>,
    /// Any certificate will do.
    #[serde(skip_serializing_if = "is_default")]
    pub accept_invalid: bool,
    /// A certificate that expires sooner makes the site `degraded`. `None`: 14 d, or a third of the certificate's life where
    /// that is shorter, or never with `accept_invalid`. Zero: never.
    #[serde(with = "duration", skip_serializing_if = "Option::is_none")]
    pub expiry_warning: Option<Duration>,
}

/// `[site.expect]`. Everything in it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expectations {
    /// One of these. Empty: any 2xx.
    #[serde(skip_serializing_if = "is_default")]
    pub status: Vec<StatusRange>,
    /// Conditions on headers.
    #[serde(skip_serializing_if = "is_default")]
    pub headers: Vec<HeaderExpectation>,
    /// Conditions on the text of the body.
    #[serde(skip_serializing_if = "is_default")]
    pub body: BodyExpectations,
    /// Conditions on the body as JSON.
    #[serde(skip_serializing_if = "is_default")]
    pub json: Vec<JsonExpectation>,
    /// Limits on the time of the whole try.
    #[serde(skip_serializing_if = "is_default")]
    pub response_time: TimeLimits,
    /// One of these. Empty: any.
    #[serde(skip_serializing_if = "is_default")]
    pub http_version: Vec<HttpVersion>,
    /// Whether the last hop was, or was not, over TLS; where it is required, no redirect led back to http on the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsPolicy>,
}

/// A condition on the header `name`. At most one of `equals`, `contains`, `matches`, `not_matches`, `absent`; none means that
/// it must be there. A header that stands there several times meets a condition when one of its values does; `not_matches`
/// is to hold for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderExpectation {
    /// In any case.
    pub name: String,
    /// The whole value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<String>,
    /// Part of the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// A regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// A regular expression that no value matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_matches: Option<String>,
    /// True: it must not be there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub absent: bool,
    /// A header that is not there meets the condition.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allow_missing: bool,
}

/// `site.expect.body`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BodyExpectations {
    /// Texts that are all in it.
    #[serde(skip_serializing_if = "is_default")]
    pub contains: Vec<String>,
    /// Texts of which none is in it.
    #[serde(skip_serializing_if = "is_default")]
    pub not_contains: Vec<String>,
    /// Regular expressions that all match.
    #[serde(skip_serializing_if = "is_default")]
    pub matches: Vec<String>,
    /// Regular expressions of which none matches.
    #[serde(skip_serializing_if = "is_default")]
    pub not_matches: Vec<String>,
    /// Bytes, decoded. A larger body is `too_large`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

/// A condition on what an RFC 9535 path selects. At most one operator; none means that the path selects something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonExpectation {
    /// For example `$.status`.
    pub path: String,
    /// Some selected value is equal.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub equals: Option<Json>,
    /// Something is selected, and nothing of it is equal.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    pub not_equals: Option<Json>,
    /// True: some selected value is `null`. False: something is selected, and nothing of it is. TOML has no `null` to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_null: Option<bool>,
    /// Greater than. A string that reads as a JSON number counts as that number, here and below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gt: Option<serde_json::Number>,
    /// Greater or equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ge: Option<serde_json::Number>,
    /// Less than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lt: Option<serde_json::Number>,
    /// Less or equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub le: Option<serde_json::Number>,
    /// False: the path selects nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
    /// Characters of a string, items of an array, members of an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// A regular expression, on a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
}

/// `site.expect.response_time`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeLimits {
    /// Slower is `degraded`.
    #[serde(with = "duration", skip_serializing_if = "Option::is_none")]
    pub degraded: Option<Duration>,
    /// Slower is `down`.
    #[serde(with = "duration", skip_serializing_if = "Option::is_none")]
    pub down: Option<Duration>,
}

impl Default for RequestSettings {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            headers: std::collections::BTreeMap::new(),
            body: None,
            body_base64: None,
            basic_auth: None,
            bearer_token: None,
            follow_redirects: true,
            max_redirects: None,
            ip: IpFamily::default(),
            hide: Vec::new(),
        }
    }
}

impl RequestSettings {
    /// The bytes of the body; none where there is no body.
    pub fn body_bytes(&self) -> &[u8] {
        match (&self.body, &self.body_base64) {
            (Some(text), _) => text.as_bytes(),
            (None, Some(Base64(bytes))) => bytes,
            (None, None) => &[],
        }
    }

    /// Has `body` sent. It is kept as a text where a person could read it, so that equal bodies are equal settings.
    pub fn set_body(&mut self, body: Vec<u8>) {
        (self.body, self.body_base64) = match String::from_utf8(body) {
            Ok(text) if text.is_empty() => (None, None),
            Ok(text) if is_readable(&text) => (Some(text), None),
            Ok(text) => (None, Some(Base64(text.into_bytes()))),
            Err(other) => (None, Some(Base64(other.into_bytes()))),
        };
    }
}

impl JsonExpectation {
    /// Whether what it compares with is `null`, or has one inside.
    pub fn holds_null(&self) -> bool {
        [&self.equals, &self.not_equals].into_iter().flatten().any(holds_null)
    }
}

fn holds_null(json: &Json) -> bool {
    match json {
        Json::Null => true,
        Json::Array(items) => items.iter().any(holds_null),
        Json::Object(members) => members.values().any(holds_null),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

/// Without control characters, of which PostgreSQL's texts cannot hold one and terminals no other.
fn is_readable(text: &str) -> bool {
    !text.chars().any(|char| char.is_control() && !matches!(char, '\t' | '\r' | '\n'))
}

/// A value that stands there is said, also when it is `null`.
fn said<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(input).map(Some)
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn is_get(method: &str) -> bool {
    method == "GET"
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_true(value: &bool) -> bool {
    *value
}
