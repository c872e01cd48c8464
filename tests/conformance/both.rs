//! Rows of other topics once more, over HTTP/2: those with one plain answer, which means the same in either version.

use std::rc::Rc;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use crate::http2::frames::TLS;
use crate::http2::served::{self, Answer};
use crate::table::{Case, Stage, run};
use crate::trust::at_localhost;
use crate::{bodies, codings, headers, json, verdicts};

#[actix_rt::test]
async fn every_case() {
    run("the same over HTTP/2", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    let rows = [headers::cases(), bodies::cases(), json::cases(), codings::cases(), verdicts::cases()];
    rows.iter().flatten().filter_map(twin).collect()
}

/// `row` with its answer over HTTP/2, of which no more is looked at than what has to come out. `None` where that would be another row:
/// it is about the version, TLS or framing, or its answer has a form that only HTTP/1 knows.
fn twin(row: &Case) -> Option<Case> {
    let settings = speaking(row.settings.as_ref()).filter(|_| row.is_valid)?;
    let answer = translated(row.bytes.as_ref()?)?;
    let stage: Stage = Rc::new(move || {
        let answer = answer.clone();
        let scene = at_localhost(served::serve(&TLS, move |_| answer.clone()).0);
        Box::pin(std::future::ready(scene))
    });
    let mut twin = row.clone().with(settings);
    twin.name.push_str(" [HTTP/2]");
    (twin.stage, twin.bytes, twin.also) = (stage, None, None);
    Some(twin)
}

/// The settings of a row with HTTP/2 expected.
fn speaking(settings: Option<&Json>) -> Option<Json> {
    let mut settings = settings.cloned().unwrap_or_else(|| json!({}));
    let members = settings.as_object_mut()?;
    let expect = members.entry("expect").or_insert_with(|| json!({})).as_object_mut()?;
    let is_about_transport = expect.contains_key("http_version") || expect.contains_key("tls");
    expect.insert("http_version".to_owned(), json!(["HTTP/2"]));
    let is_about_tls = members.contains_key("tls");
    let is_about_framing = settings.to_string().contains("transfer-encoding");
    (!is_about_transport && !is_about_tls && !is_about_framing).then_some(settings)
}

/// An answer of HTTP/1 in that of HTTP/2, if it is whole and well formed.
fn translated(text: &[u8]) -> Option<Answer> {
    let mut table = [httparse::EMPTY_HEADER; 200];
    let mut head = httparse::Response::new(&mut table);
    let start = head.parse(text).ok().filter(httparse::Status::is_complete)?.unwrap();
    let named = |name: &str| {
        let mut fields = head.headers.iter();
        fields.find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    };
    let body = match (named("transfer-encoding"), named("content-length")) {
        (Some(b"chunked"), None) => unchunked(&text[start..])?,
        (None, Some(length)) => {
            let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
            text.get(start..start + length)?.to_vec()
        }
        (None, None) => text[start..].to_vec(),
        _ => return None,
    };
    let mut response = http::Response::builder().status(head.code.filter(|code| *code >= 200)?);
    for field in head.headers.iter() {
        if !["connection", "transfer-encoding"].iter().any(|name| field.name.eq_ignore_ascii_case(name)) {
            response = response.header(field.name, field.value);
        }
    }
    Some(Answer { head: response.body(()).ok()?, body: Bytes::from(body), trailers: None })
}

fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        body.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 4 + size..)?;
        if size == 0 {
            return Some(body);
        }
    }
}
