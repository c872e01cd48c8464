//! What is sent, to the byte.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{BufMut as _, Bytes, BytesMut};
use url::{Position, Url};

use crate::model::secret::is_secret_name;
use crate::model::settings::RequestSettings;

/// Headers of a body, which go where it goes (RFC 9110, section 15.4, and the Fetch standard).
fn is_of_body(name: &str) -> bool {
    name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"))
}

/// Headers that say nothing about who asks: they go to every origin.
fn is_harmless(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("accept") || name == "user-agent"
}

/// `[site.request]`, ready to be sent.
#[derive(Debug)]
pub(super) struct RequestPlan {
    pub(super) method: String,
    pub(super) follow_redirects: bool,
    pub(super) max_redirects: u32,
    headers: Vec<(String, String)>,
    body: Bytes,
    authorization: Option<String>,
}

/// What is sent to a hop, and what others have to know of it.
#[derive(Debug, Clone)]
pub(super) struct Message {
    /// Head and body.
    pub(super) bytes: Bytes,
    /// Its method is HEAD, so nothing follows the answer's head.
    pub(super) is_head: bool,
}

/// One hop's part in a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestContext<'a> {
    pub(super) url: &'a Url,
    pub(super) method: &'a str,
    /// Whether the configured body goes along.
    pub(super) with_body: bool,
    /// The origin is another than the site's, and is told nothing that it need not know.
    pub(super) is_foreign: bool,
    /// The value of its `Cookie` header, configured and set on the way. Empty: it has none.
    pub(super) cookies: &'a [u8],
}

impl RequestPlan {
    /// `max_redirects` counts where the site does not say.
    pub(super) fn new(settings: &RequestSettings, max_redirects: u32) -> Self {
        Self {
            method: settings.method.clone(),
            follow_redirects: settings.follow_redirects,
            max_redirects: settings.max_redirects.unwrap_or(max_redirects),
            headers: settings.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            body: Bytes::copy_from_slice(settings.body_bytes()),
            authorization: authorization(settings),
        }
    }

    /// The cookies that are configured, for the site's own origin.
    pub(super) fn cookie(&self) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(name, _)| name.eq_ignore_ascii_case("cookie")).map(|(_, value)| value.as_str())
    }

    /// The request of a hop.
    pub(super) fn message(&self, context: &RequestContext<'_>, user_agent: &str) -> Message {
        Message { bytes: self.bytes(context, user_agent), is_head: context.method == "HEAD" }
    }

    fn bytes(&self, context: &RequestContext<'_>, user_agent: &str) -> Bytes {
        // Bodies have passwords in them, so none goes to another origin, whatever the status says.
        let body: &[u8] = if context.with_body && !context.is_foreign { &self.body } else { &[] };
        let mut text = BytesMut::with_capacity(256 + body.len());
        let target = &context.url[Position::BeforePath..Position::AfterQuery];
        line(&mut text, &[context.method, " ", target, " HTTP/1.1"]);
        self.put_headers(&mut text, context, user_agent);
        if !body.is_empty() || matches!(context.method, "POST" | "PUT" | "PATCH") {
            line(&mut text, &["Content-Length: ", &body.len().to_string()]);
        }
        line(&mut text, &["Connection: close"]);
        line(&mut text, &[]);
        text.put_slice(body);
        text.freeze()
    }

    fn put_headers(&self, text: &mut BytesMut, context: &RequestContext<'_>, user_agent: &str) {
        let goes = |name: &str| {
            let is_known = !context.is_foreign || is_harmless(name);
            is_known && (context.with_body || !is_of_body(name))
        };
        let said = |wanted: &str| {
            let mut headers = self.headers.iter().filter(|(name, _)| goes(name));
            headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
        };
        let host = &context.url[Position::BeforeHost..Position::AfterPort];
        line(text, &["Host: ", said("host").unwrap_or(host)]);
        line(text, &["User-Agent: ", said("user-agent").unwrap_or(user_agent)]);
        line(text, &["Accept: ", said("accept").unwrap_or("*/*")]);
        for (name, value) in self.headers.iter().filter(|(name, _)| goes(name)) {
            if !["host", "user-agent", "accept", "cookie"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
            {
                line(text, &[name, ": ", value]);
            }
        }
        if let Some(authorization) = self.authorization.as_deref().filter(|_| !context.is_foreign) {
            line(text, &["Authorization: ", authorization]);
        }
        if !context.cookies.is_empty() {
            text.put_slice(b"Cookie: ");
            text.put_slice(context.cookies);
            line(text, &[]);
        }
    }
}

fn line(text: &mut BytesMut, parts: &[&str]) {
    for part in parts {
        text.put_slice(part.as_bytes());
    }
    text.put_slice(b"\r\n");
}

fn authorization(settings: &RequestSettings) -> Option<String> {
    let basic = settings.basic_auth.as_ref().map(|auth| {
        let pair = format!("{}:{}", auth.username, auth.password);
        format!("Basic {}", BASE64_STANDARD.encode(pair))
    });
    basic.or_else(|| settings.bearer_token.as_ref().map(|token| format!("Bearer {token}")))
}

/// A secret header as a whole, and what of it a server may tell alone: what stands behind `Bearer`, and the value of each cookie.
fn parts<'v>(name: &str, value: &'v str) -> Vec<&'v str> {
    let mut parts = vec![value, value.split_once(' ').map_or("", |(_, word)| word)];
    if name.eq_ignore_ascii_case("cookie") {
        let values = value.split(';').filter_map(|pair| pair.split_once('='));
        parts.extend(values.map(|(_, value)| value.trim().trim_matches('"')));
    }
    parts
}

/// Texts that nobody is to see again, longest first: servers echo what they get, in pages, headers and redirects.
pub(in crate::probe) fn secrets(settings: &RequestSettings) -> Vec<String> {
    let credentials = authorization(settings);
    // A body that is no text would be shown in this way, if it came back.
    let body = String::from_utf8_lossy(settings.body_bytes());
    let encoded = credentials.iter().filter_map(|value| value.split_once(' ')).map(|(_, secret)| secret);
    let password = settings.basic_auth.iter().map(|auth| auth.password.as_str());
    let headers = settings.headers.iter().filter(|(name, _)| is_secret_name(name));
    let values = headers.flat_map(|(name, value)| parts(name, value));
    let hidden = settings.hide.iter().map(String::as_str);
    let all = encoded.chain(password).chain(values).chain([&*body]).chain(hidden);
    // A short one would mask half of a page, and hides nothing that could not be guessed.
    let mut all: Vec<String> = all.filter(|secret| secret.len() >= 4).map(str::to_owned).collect();
    all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    all.dedup();
    all
}
