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

/// The request of a hop, to be written in the version of HTTP that its connection speaks.
#[derive(Debug)]
pub(super) struct Request<'r> {
    plan: &'r RequestPlan,
    context: RequestContext<'r>,
    user_agent: &'r str,
}

/// One hop's part in a request.
#[derive(Debug)]
pub(super) struct RequestContext<'r> {
    pub(super) url: &'r Url,
    pub(super) method: &'r str,
    /// Whether the configured body goes along.
    pub(super) with_body: bool,
    /// The origin is another than the site's, and is told nothing that it need not know.
    pub(super) is_foreign: bool,
    /// The value of its `Cookie` header, configured and set on the way. Empty: it has none.
    pub(super) cookies: Vec<u8>,
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
    pub(super) fn request<'r>(&'r self, context: RequestContext<'r>, user_agent: &'r str) -> Request<'r> {
        Request { plan: self, context, user_agent }
    }
}

impl Request<'_> {
    pub(super) fn url(&self) -> &Url {
        self.context.url
    }

    pub(super) fn method(&self) -> &str {
        self.context.method
    }

    /// Nothing follows the answer's head.
    pub(super) fn is_head(&self) -> bool {
        self.context.method == "HEAD"
    }

    /// Path and query.
    pub(super) fn target(&self) -> &str {
        &self.context.url[Position::BeforePath..Position::AfterQuery]
    }

    /// The authority that the request names: the configured `Host`, or host and port of the URL.
    pub(super) fn host(&self) -> &str {
        self.said("host").unwrap_or(&self.context.url[Position::BeforeHost..Position::AfterPort])
    }

    /// Bodies have passwords in them, so none goes to another origin, whatever the status says.
    pub(super) fn body(&self) -> Bytes {
        let goes = self.context.with_body && !self.context.is_foreign;
        if goes { self.plan.body.clone() } else { Bytes::new() }
    }

    /// Names and values of all headers but `Host` and those of a connection, in the order in which they are sent.
    pub(super) fn for_each_header(&self, mut put: impl FnMut(&str, &[u8])) {
        put("User-Agent", self.said("user-agent").unwrap_or(self.user_agent).as_bytes());
        put("Accept", self.said("accept").unwrap_or("*/*").as_bytes());
        for (name, value) in self.plan.headers.iter().filter(|(name, _)| self.goes(name)) {
            if !["host", "user-agent", "accept", "cookie"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
            {
                put(name, value.as_bytes());
            }
        }
        if let Some(authorization) = self.plan.authorization.as_deref().filter(|_| !self.context.is_foreign) {
            put("Authorization", authorization.as_bytes());
        }
        if !self.context.cookies.is_empty() {
            put("Cookie", &self.context.cookies);
        }
        let length = self.body().len();
        if length > 0 || matches!(self.context.method, "POST" | "PUT" | "PATCH") {
            put("Content-Length", length.to_string().as_bytes());
        }
    }

    /// Whether a configured header goes to this origin, and belongs to this request.
    fn goes(&self, name: &str) -> bool {
        let is_known = !self.context.is_foreign || is_harmless(name);
        is_known && (self.context.with_body || !is_of_body(name))
    }

    fn said(&self, wanted: &str) -> Option<&str> {
        let mut headers = self.plan.headers.iter().filter(|(name, _)| self.goes(name));
        headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
    }

    /// Head and body as HTTP/1.1 has them.
    pub(super) fn bytes(&self) -> Bytes {
        let body = self.body();
        let mut text = BytesMut::with_capacity(256 + body.len());
        line(&mut text, &[self.method(), " ", self.target(), " HTTP/1.1"]);
        line(&mut text, &["Host: ", self.host()]);
        self.for_each_header(|name, value| {
            text.put_slice(name.as_bytes());
            text.put_slice(b": ");
            text.put_slice(value);
            line(&mut text, &[]);
        });
        line(&mut text, &["Connection: close"]);
        line(&mut text, &[]);
        text.put_slice(&body);
        text.freeze()
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
