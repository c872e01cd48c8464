//! The head of a request as HTTP/2 has it (RFC 9113, section 8.3).

use http::header::{HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, Uri, Version};

use crate::probe::failure::Failure;
use crate::probe::http::request::Request;

/// Headers that say something about a connection of HTTP/1 (section 8.2.2). None is taken from a file; a database may hold one.
const OF_CONNECTIONS: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"];

/// `Host` is `:authority` here, and the names of headers are in small letters.
pub(super) fn head(request: &Request<'_>) -> Result<http::Request<()>, Failure> {
    let mut head = http::Request::new(());
    *head.version_mut() = Version::HTTP_2;
    *head.method_mut() =
        Method::from_bytes(request.method().as_bytes()).map_err(|_| unfit("method", request.method()))?;
    *head.uri_mut() = uri(request)?;
    *head.headers_mut() = headers(request)?;
    Ok(head)
}

fn uri(request: &Request<'_>) -> Result<Uri, Failure> {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(Authority::try_from(request.host()).map_err(|_| unfit("Host", request.host()))?);
    let target = PathAndQuery::try_from(request.target());
    parts.path_and_query = Some(target.map_err(|_| unfit("path", request.target()))?);
    Uri::from_parts(parts).map_err(|_| unfit("URL", request.url().as_str()))
}

fn headers(request: &Request<'_>) -> Result<HeaderMap, Failure> {
    let (mut headers, mut failure) = (HeaderMap::new(), None);
    request.for_each_header(|name, value| {
        if OF_CONNECTIONS.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            return;
        }
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value)) {
            (Ok(name), Ok(value)) => drop(headers.append(name, value)),
            _ => failure = Some(unfit("header", name)),
        }
    });
    failure.map_or(Ok(headers), Err)
}

/// Not the site's fault: HTTP/1 would take it as it is.
fn unfit(what: &str, value: &str) -> Failure {
    Failure::internal(format!("the {what} {value:?} cannot be sent over HTTP/2"))
}
