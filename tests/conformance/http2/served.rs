//! An HTTP/2 server that keeps to the rules: the crate h2, on its server's side. It reads whole requests, and says what it has read.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, Request, Response};
use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use crate::server::{LOOPBACK, Server};

/// An answer, whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) head: Response<()>,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Answer {
    pub(crate) fn new(status: u16, fields: &[(&str, &str)], body: impl Into<Bytes>) -> Self {
        let head = fields
            .iter()
            .fold(Response::builder().status(status), |head, (name, value)| head.header(*name, *value));
        Self { head: head.body(()).unwrap(), body: body.into(), trailers: None }
    }
}

/// Requests as text: `:method`, `:scheme`, `:authority` and `:path` in one line, a line for each header, and the body.
pub(crate) type Requests = Arc<Mutex<Vec<String>>>;

/// Gives every request the answer that `answer` has for its path.
pub(crate) fn serve(
    config: &Arc<ServerConfig>,
    answer: impl Fn(&str) -> Answer + Clone + Send + Sync + 'static,
) -> (Server, Requests) {
    let (config, requests) = (Arc::clone(config), Requests::default());
    let seen = Arc::clone(&requests);
    let server = Server::raw(LOOPBACK, move |tcp, _| {
        tcp.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (answer, seen) = (answer.clone(), Arc::clone(&seen));
        runtime.block_on(async {
            let tcp = tokio::net::TcpStream::from_std(tcp).unwrap();
            // The probe may go at any time, which is its right.
            let Ok(tls) = TlsAcceptor::from(Arc::clone(&config)).accept(tcp).await else { return };
            let Ok(mut connection) = h2::server::handshake(tls).await else { return };
            while let Some(Ok((request, respond))) = connection.accept().await {
                tokio::spawn(exchange(request, respond, answer.clone(), Arc::clone(&seen)));
            }
        });
    });
    (server, requests)
}

async fn exchange(
    request: Request<h2::RecvStream>,
    mut respond: SendResponse<Bytes>,
    answer: impl Fn(&str) -> Answer,
    seen: Requests,
) {
    let (head, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(Ok(piece)) = stream.data().await {
        let _ = stream.flow_control().release_capacity(piece.len());
        body.extend_from_slice(&piece);
    }
    seen.lock().unwrap().push(told(&head, &body));
    let Answer { head: response, body, trailers } = answer(head.uri.path());
    let is_over = trailers.is_none() && (body.is_empty() || head.method == http::Method::HEAD);
    let Ok(mut stream) = respond.send_response(response, is_over) else { return };
    if !is_over {
        let _ = stream.send_data(body, trailers.is_none());
        let _ = trailers.map(|trailers| stream.send_trailers(trailers));
    }
}

fn told(head: &http::request::Parts, body: &[u8]) -> String {
    let (method, uri) = (&head.method, &head.uri);
    let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), uri.authority().unwrap());
    let path = uri.path_and_query().unwrap();
    let mut text = format!("{method} {scheme} {authority} {path}\n");
    for (name, value) in &head.headers {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    text + "\n" + &String::from_utf8_lossy(body)
}
