//! `[site.request]`: what is sent.

use std::collections::BTreeMap;

use url::{Host, Url};

use super::keys::Keys;
use super::section::Section;
use super::{header, other_kind};
use crate::config::fault::Fault;
use crate::config::parse;
use crate::config::secret::real;
use crate::config::sites::table::METHODS;
use crate::config::value::Value;
use crate::model::secret::SHORTEST_SECRET;
use crate::model::settings::{Base64, BasicAuth, IpFamily, RequestSettings};
use crate::pattern;

/// Ways to say what is sent, of which a request has one.
const BODIES: [&str; 3] = ["body", "body_base64", "body_file"];

/// It goes with every job.
const LONGEST_BODY: usize = 1 << 20;

pub(super) fn read(section: Section<'_>, url: Option<&Url>) -> RequestSettings {
    let default = RequestSettings::default();
    let Some(keys) = Keys::of(section) else { return default };
    let mut settings = RequestSettings {
        method: keys.text("method", method).unwrap_or(default.method),
        headers: keys.free_table("headers").map(|headers| read_headers(&headers)).unwrap_or_default(),
        basic_auth: keys.table("basic_auth").map(|auth| basic_auth(&auth)),
        bearer_token: keys.text_or_file("bearer_token", token),
        follow_redirects: keys.bool("follow_redirects").unwrap_or(default.follow_redirects),
        max_redirects: keys
            .read("max_redirects", |value| parse::count(value, &(0..=50)))
            .and_then(|count| u32::try_from(count).ok()),
        ip: keys.text("ip", ip).unwrap_or_default(),
        ..default
    };
    settings.hide(keys.list("hide", hidden));
    settings.hide(section.expanded_in_secret_headers());
    if let Some(body) = body(&keys) {
        settings.set_body(body);
    }
    refuse_contradictions(&keys, &settings);
    refuse_other_family(&keys, settings.ip, url);
    settings
}

/// Of a site that is not HTTP's.
pub(super) fn read_common(section: Section<'_>, url: Option<&Url>) -> RequestSettings {
    let Some(keys) = Keys::of(section) else { return RequestSettings::default() };
    other_kind::refuse_of_http(&keys);
    let ip = keys.text("ip", ip).unwrap_or_default();
    let mut settings = RequestSettings { ip, ..RequestSettings::default() };
    settings.hide(keys.list("hide", hidden));
    refuse_other_family(&keys, ip, url);
    settings
}

fn method(word: &str) -> Result<String, Fault> {
    if METHODS.contains(&word) { Ok(word.to_owned()) } else { Err(parse::unknown_word(word, &METHODS)) }
}

fn ip(word: &str) -> Result<IpFamily, Fault> {
    match word {
        "any" => Ok(IpFamily::Any),
        "v4" => Ok(IpFamily::V4),
        "v6" => Ok(IpFamily::V6),
        _ => Err(parse::unknown_word(word, &["any", "v4", "v6"])),
    }
}

fn hidden(value: &Value) -> Result<String, Fault> {
    let text = parse::text(value)?;
    if text.len() < SHORTEST_SECRET {
        let message = format!("holds a text of fewer than {SHORTEST_SECRET} characters");
        return Err(Fault::new(message, "leave it out: it would be hidden all over, and could be guessed"));
    }
    Ok(text.to_owned())
}

fn read_headers(headers: &Keys<'_>) -> BTreeMap<String, String> {
    let mut read: BTreeMap<String, String> = BTreeMap::new();
    for name in headers.names() {
        let twin = read.keys().find(|known| known.eq_ignore_ascii_case(name));
        if let Some(twin) = twin {
            headers.refuse(name, format!("is the same header as {twin}"), "keep one of the two");
        }
        let value = headers.text(name, |text| {
            header::to_send(name)?;
            header::value(text)
        });
        read.insert(name.to_owned(), value.unwrap_or_default());
    }
    read
}

/// As it is: what a server makes of a line break at the end is between the two.
fn body(keys: &Keys<'_>) -> Option<Vec<u8>> {
    let mut said = BODIES.into_iter().filter(|key| keys.has(key));
    let key = said.next()?;
    if let Some(other) = said.next() {
        keys.refuse(other, format!("stands beside {key}"), "keep one of the two");
        return None;
    }
    let body = match key {
        "body" => keys.text(key, |text| Ok(text.as_bytes().to_vec())),
        "body_base64" => keys.text(key, |text| {
            let bytes = text.parse::<Base64>().map(|Base64(bytes)| bytes);
            bytes.map_err(|_| Fault::new("is not base64", "write it as `base64` does"))
        }),
        _ => keys.bytes_of_file(key, LONGEST_BODY),
    }?;
    if let Err(fault) = std::str::from_utf8(&body).map_or(Ok(()), real) {
        keys.refuse(key, fault.message, &fault.remedy);
        return None;
    }
    if body.len() > LONGEST_BODY {
        keys.refuse(key, "is longer than 1MiB", "shorten it");
        return None;
    }
    Some(body)
}

/// RFC 7617, section 2.
fn basic_auth(keys: &Keys<'_>) -> BasicAuth {
    if !keys.has("username") {
        keys.missing("username", "write username = \"…\", which may be empty");
    }
    let username = keys.text("username", |name| match name.contains(':') {
        true => Err(Fault::new("has a colon, at which servers would end it", "leave out the colon")),
        false => header::value(name),
    });
    BasicAuth {
        username: username.unwrap_or_default(),
        password: keys.text_or_file("password", header::value).unwrap_or_default(),
    }
}

/// RFC 6750, section 2.1, though not to the letter: tokens of the wild have other signs, too.
fn token(token: &str) -> Result<String, Fault> {
    if token.is_empty() {
        return Err(Fault::new("is empty", "write the token, or remove the key"));
    }
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        let remedy = "write the token alone, without \"Bearer\" before it and line breaks behind it";
        return Err(Fault::new("has a space or another character that no token has", remedy));
    }
    Ok(token.to_owned())
}

fn refuse_contradictions(keys: &Keys<'_>, settings: &RequestSettings) {
    let RequestSettings {
        method, headers, basic_auth, bearer_token, follow_redirects, max_redirects, ..
    } = settings;
    if basic_auth.is_some() && bearer_token.is_some() {
        keys.refuse(
            "bearer_token",
            "stands beside basic_auth, and a request has one Authorization",
            "keep one of the two",
        );
    }
    let own = headers.keys().find(|name| name.eq_ignore_ascii_case("authorization"));
    if let (Some(name), true) = (own, basic_auth.is_some() || bearer_token.is_some())
        && let Some(headers) = keys.free_table("headers")
    {
        headers.refuse(
            name,
            "stands beside basic_auth or bearer_token, which write it",
            "keep one of the two",
        );
    }
    // A GET may have one: search engines ask for it. To a HEAD, servers and proxies agree on no meaning of it.
    if method == "HEAD" && !settings.body_bytes().is_empty() {
        let key = BODIES.into_iter().find(|key| keys.has(key)).unwrap_or("body");
        keys.refuse(key, "goes with no HEAD request", "remove it, or choose another method");
    }
    if !follow_redirects && max_redirects.is_some() {
        keys.refuse("max_redirects", "stands beside follow_redirects = false", "keep one of the two");
    }
}

/// Nothing could ever be connected to.
fn refuse_other_family(keys: &Keys<'_>, ip: IpFamily, url: Option<&Url>) {
    let other = match (ip, url.and_then(pattern::host_of)) {
        (IpFamily::V4, Some(Host::Ipv6(_))) => "an IPv6",
        (IpFamily::V6, Some(Host::Ipv4(_))) => "an IPv4",
        _ => return,
    };
    keys.refuse("ip", format!("stands beside a URL with {other} address"), "remove it, or change the URL");
}
