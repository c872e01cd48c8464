//! One hop: the request, the answer's head, its body.

use std::time::Duration;

use awc::error::SendRequestError;
use awc::http::header::{ACCEPT, HOST, USER_AGENT};
use awc::{Client, ClientResponse};
use futures_util::StreamExt as _;
use url::{Position, Url};

use super::connector::Connector;
use super::failure::Failure;
use super::settings::Settings;
use super::trace::Trace;
use crate::model::Reason;

/// An answer of which the head is here and the body is still to be read.
pub(super) type Answer = ClientResponse;

/// awc insists on a time limit for connecting. Ours is the timeout of the try, so this one must never be reached.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// A client that adds nothing of its own: no pool, no redirects, no timeouts, no limit on connections.
pub(super) fn client(connector: Connector, settings: &Settings) -> Client {
    // The default limit of 100 connections would let checks wait for each other inside their timeouts.
    let connector = awc::Connector::new().connector(connector).timeout(NEVER).limit(0);
    Client::builder()
        .connector(connector)
        .disable_redirects()
        .disable_timeout()
        .no_default_headers()
        .add_default_header((USER_AGENT, settings.user_agent.clone()))
        .add_default_header((ACCEPT, "*/*"))
        .finish()
}

/// Requests `url` on a connection of its own and waits for the answer's head.
pub(super) async fn send(client: &Client, url: &Url, trace: &Trace) -> Result<Answer, Failure> {
    trace.begin_hop(url);
    let request = client.get(wire_uri(url)).insert_header((HOST, host(url))).no_decompress().force_close();
    match request.send().await {
        Ok(answer) => {
            trace.answered(answer.status(), answer.version());
            Ok(answer)
        }
        Err(error) => Err(trace.take_failure().unwrap_or_else(|| no_answer(&error, trace))),
    }
}

/// Reads the body up to `limit` bytes, and notes whether there was more.
pub(super) async fn read_body(mut answer: Answer, limit: u64, trace: &Trace) -> Result<(), Failure> {
    let mut read = 0;
    while let Some(chunk) = answer.next().await {
        let chunk = chunk.map_err(|error| broken_body(&error, trace))?;
        read += chunk.len() as u64;
        trace.read(read.min(limit), read > limit);
        if read > limit {
            break;
        }
    }
    Ok(())
}

/// What awc is told to request. Always `http`, for TLS is done below it; host and port matter only to its bookkeeping.
fn wire_uri(url: &Url) -> String {
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let port = if url.port().is_none() && url.scheme() == "https" { ":443" } else { "" };
    format!("http://{authority}{port}{}", &url[Position::BeforePath..Position::AfterQuery])
}

/// As the URL has it: the default port of *its* scheme is left out, which awc, knowing only `http`, would get wrong.
fn host(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// Bytes came, and awc could make no head of them.
fn no_answer(error: &SendRequestError, trace: &Trace) -> Failure {
    let peer = trace.peer();
    match error {
        // The kind of a parse error is not public; its name is.
        SendRequestError::Response(why) if format!("{why:?}") == "TooLarge" => {
            Failure::new(Reason::TooLarge, format!("{peer} sends a head that is too large"))
        }
        SendRequestError::Response(why) => {
            Failure::new(Reason::Protocol, format!("{peer} does not answer in HTTP: {why}"))
        }
        SendRequestError::Send(why) => Failure::new(
            Reason::Connect,
            format!("{peer} closed the connection before the request was sent: {why}"),
        ),
        other => Failure::internal(format!("the request could not be made: {other}")),
    }
}

/// Once there is a head, a connection that breaks is bad HTTP.
fn broken_body(error: &awc::error::PayloadError, trace: &Trace) -> Failure {
    let why = trace.take_failure().map_or_else(|| error.to_string(), |failure| failure.error);
    Failure::new(Reason::Protocol, format!("the body is broken: {why}"))
}
