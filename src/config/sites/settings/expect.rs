//! `[site.expect]`: what makes the answer a good one.

use std::time::Duration;

use url::Url;

use super::keys::Keys;
use super::operator::text;
use super::section::Section;
use super::{body, headers, json, operator, other_kind};
use crate::config::fault::Fault;
use crate::config::value::Value;
use crate::config::{format, parse};
use crate::model::settings::{
    BodyExpectations, Expectations, HttpVersion, StatusRange, TimeLimits, TlsPolicy,
};

const TIME: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(31 * 24);

/// What expectations have to keep to. `None` where that is wrong itself.
pub(super) struct Bounds<'a> {
    pub(super) url: Option<&'a Url>,
    pub(super) timeout: Option<Duration>,
    /// Bytes of a body that are read at most.
    pub(super) body_limit: u64,
    /// The answer has no body.
    pub(super) is_head: bool,
}

pub(super) fn read(section: Section<'_>, bounds: &Bounds<'_>) -> Expectations {
    let Some(keys) = Keys::of(section) else { return Expectations::default() };
    let expect = Expectations {
        status: keys.list("status", status),
        headers: keys.tables("headers").iter().map(headers::read).collect(),
        body: read_body(&keys, bounds),
        json: keys.tables("json").iter().map(json::read).collect(),
        response_time: read_response_time(&keys, bounds),
        http_version: keys.list("http_version", text(http_version)),
        tls: keys.text("tls", tls),
    };
    if bounds.is_head {
        refuse_without_body(&keys);
    }
    refuse_other_scheme(&keys, expect.tls, bounds.url);
    expect
}

/// Of a site that is not HTTP's. A text alone is what the answer contains.
pub(super) fn read_common(section: Section<'_>, bounds: &Bounds<'_>) -> Expectations {
    if section.setting.value.as_str().is_some() {
        let part = section.read("", section.setting, text(operator::part));
        let body = BodyExpectations { contains: part.into_iter().collect(), ..BodyExpectations::default() };
        return Expectations { body, ..Expectations::default() };
    }
    let Some(keys) = Keys::of(section) else { return Expectations::default() };
    other_kind::refuse_of_http(&keys);
    Expectations {
        body: read_body(&keys, bounds),
        response_time: read_response_time(&keys, bounds),
        ..Expectations::default()
    }
}

fn read_body(keys: &Keys<'_>, bounds: &Bounds<'_>) -> BodyExpectations {
    let body = keys.table("body");
    body.map(|keys| body::read(&keys, bounds.body_limit)).unwrap_or_default()
}

fn read_response_time(keys: &Keys<'_>, bounds: &Bounds<'_>) -> TimeLimits {
    let limits = keys.table("response_time");
    limits.map(|limits| response_time(&limits, bounds.timeout)).unwrap_or_default()
}

/// The words of `StatusRange` quote what they were given, which a problem does already.
fn status(value: &Value) -> Result<StatusRange, Fault> {
    let text = match value {
        Value::Typed(toml::Value::Integer(number)) => number.to_string(),
        other => parse::text(other)?.to_owned(),
    };
    text.parse().map_err(|_| {
        let remedy = "write one like 200, a class like \"2xx\", or a range like \"200-299\"";
        Fault::new("is no status", remedy)
    })
}

fn http_version(word: &str) -> Result<HttpVersion, Fault> {
    match word {
        "HTTP/1.0" => Ok(HttpVersion::V1_0),
        "HTTP/1.1" => Ok(HttpVersion::V1_1),
        "HTTP/2" => Ok(HttpVersion::V2),
        "HTTP/2.0" | "h2" => Err(Fault::new("is called otherwise here", "write \"HTTP/2\"")),
        "HTTP/3" | "h3" => {
            Err(Fault::new("comes later: this version speaks HTTP/1.1 and HTTP/2", "remove it"))
        }
        _ => Err(parse::unknown_word(word, &["HTTP/1.0", "HTTP/1.1", "HTTP/2"])),
    }
}

fn tls(word: &str) -> Result<TlsPolicy, Fault> {
    match word {
        "required" => Ok(TlsPolicy::Required),
        "forbidden" => Ok(TlsPolicy::Forbidden),
        _ => Err(parse::unknown_word(word, &["required", "forbidden"])),
    }
}

fn response_time(keys: &Keys<'_>, timeout: Option<Duration>) -> TimeLimits {
    let read = |key| keys.read(key, |value| parse::duration_within(value, &TIME));
    let limits = TimeLimits { degraded: read("degraded"), down: read("down") };
    for (key, limit) in [("degraded", limits.degraded), ("down", limits.down)] {
        if let (Some(limit), Some(timeout)) = (limit, timeout)
            && limit >= timeout
        {
            let message = format!("is not shorter than timeout = \"{}\"", format::duration(timeout));
            keys.refuse(key, message, "shorten it, or lengthen the timeout");
        }
    }
    if let (Some(degraded), Some(down)) = (limits.degraded, limits.down)
        && down <= degraded
    {
        let message = format!("is not longer than degraded = \"{}\"", format::duration(degraded));
        keys.refuse("down", message, "lengthen it, or shorten degraded");
    }
    limits
}

fn refuse_without_body(keys: &Keys<'_>) {
    let (message, remedy) = ("asks for a body, which no answer to HEAD has", "choose another method");
    if keys.has("json") {
        keys.refuse("json", message, remedy);
    }
    if keys.has_inner("body", "contains") || keys.has_inner("body", "matches") {
        keys.refuse("body", message, remedy);
    }
}

fn refuse_other_scheme(keys: &Keys<'_>, tls: Option<TlsPolicy>, url: Option<&Url>) {
    let scheme = url.map(Url::scheme);
    match (tls, scheme) {
        (Some(TlsPolicy::Required), Some("http")) => {
            keys.refuse("tls", "stands beside a URL with http", "write https in the URL, or remove it");
        }
        (Some(TlsPolicy::Forbidden), Some("https")) => {
            keys.refuse("tls", "stands beside a URL with https", "write http in the URL, or remove it");
        }
        _ => {}
    }
}
