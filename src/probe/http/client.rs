//! Through awc: one request, its answer's head, its body.

use std::io;
use std::pin::pin;
use std::time::Duration;

use awc::error::SendRequestError;
use awc::{Client, ClientResponse};
use futures_util::StreamExt as _;
use url::{Position, Url};

use super::connector::HttpConnector;
use super::decode;
use super::request::Message;
use crate::model::Reason;
use crate::probe::failure::Failure;
use crate::probe::trace::Trace;

/// An answer of which the head is in the trace and the body is still to be read.
pub(super) type Answer = ClientResponse;

/// awc insists on a time limit for connecting. Ours is the timeout of the try, so this one must never be reached.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// A client that adds nothing of its own: no pool, no redirects, no timeouts, no limit on connections.
pub(super) fn new(connector: HttpConnector) -> Client {
    // The default limit of 100 connections would let checks wait for each other inside their timeouts.
    let connector = awc::Connector::new().connector(connector).timeout(NEVER).limit(0);
    Client::builder().connector(connector).disable_redirects().disable_timeout().no_default_headers().finish()
}

/// Sends `message` to `url` on a connection of its own and waits for the answer's head.
pub(super) async fn send(
    client: &Client,
    url: &Url,
    message: Message,
    trace: &Trace,
) -> Result<Answer, Failure> {
    let is_head = message.is_head;
    trace.begin_hop(url, Some(message));
    let uri = wire_uri(url);
    // Of the request, awc has to know where it goes and whether the answer has a body.
    let request = if is_head { client.head(uri) } else { client.get(uri) };
    match request.no_decompress().force_close().send().await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(trace.take_failure().unwrap_or_else(|| unexpected(&error))),
    }
}

/// Reads the body, decoded, up to `limit` bytes, of which the first `keep` are kept.
pub(super) async fn read_body(
    mut answer: Answer,
    limit: u64,
    keep: usize,
    trace: &Trace,
) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        let why = || Failure::new(Reason::Protocol, format!("the body is broken: {error}"));
        trace.take_failure().unwrap_or_else(why)
    };
    let codings = trace.head().map(|head| decode::codings(&head)).unwrap_or_default();
    if !codings.is_empty() {
        let body = pin!(answer.map(|chunk| chunk.map_err(io::Error::other)));
        let decoded = decode::decode(body, &codings, |data| trace.read(data, limit, keep)).await;
        return decoded.map_err(|error| broken(&error));
    }
    while let Some(chunk) = answer.next().await {
        if !trace.read(&chunk.map_err(|error| broken(&error))?, limit, keep) {
            break;
        }
    }
    Ok(())
}

/// What awc is told to request. Always `http`, for TLS is done below it; host and port matter only to its bookkeeping.
fn wire_uri(url: &Url) -> String {
    let authority = &url[Position::BeforeHost..Position::AfterPort];
    let port = if url.port().is_none() && url.scheme() == "https" { ":443" } else { "" };
    format!("http://{authority}{port}/")
}

/// Every failure of a connection is in the trace, so this is one of awc itself.
fn unexpected(error: &SendRequestError) -> Failure {
    Failure::internal(format!("the request could not be made: {error}"))
}
