//! What each kind of answer, or of its absence, makes of a site.

use uptime_monitor::model::Reason;

use crate::server::{LOOPBACK, Server, answer, refusing};
use crate::{assert_down, assert_up, check};

#[actix_rt::test]
async fn every_2xx_is_up() {
    for status in
        ["200 OK", "201 Created", "202 Accepted", "204 No Content", "206 Partial Content", "299 Odd"]
    {
        let body = if status.starts_with("204") { "" } else { "hello" };
        let server = Server::answering(answer(status, body));

        let outcome = check(server.url("/")).await;

        assert_up(&outcome);
        assert_eq!(outcome.http_status, status[..3].parse().ok(), "{status}");
        assert_eq!(outcome.body_bytes, body.len() as u64, "{status}");
        assert_eq!(outcome.http_version, Some("HTTP/1.1"));
        assert_eq!(outcome.remote_addr, Some(server.addr));
        assert_eq!(outcome.final_url, Some(server.url("/")));
    }
}

#[actix_rt::test]
async fn another_status_is_down_and_named() {
    for status in [
        "300 Multiple Choices",
        "304 Not Modified",
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
    ] {
        let body = if status.starts_with("304") { "" } else { "oh no" };
        let server = Server::answering(answer(status, body));

        let outcome = check(server.url("/")).await;

        assert_down(&outcome, Reason::Status, status);
        assert_eq!(outcome.http_status, status[..3].parse().ok());
        assert_eq!(outcome.body_bytes, body.len() as u64);
    }
}

#[actix_rt::test]
async fn what_is_not_a_whole_http_answer_is_down_with_the_reason_that_fits() {
    let many_bytes = format!("HTTP/1.1 200 OK\r\nX-Fill: {}\r\n\r\n", "x".repeat(300_000));
    let cases = [
        ("an SSH banner", "SSH-2.0-OpenSSH_9.7\r\n".to_owned(), Reason::Protocol, "does not answer in HTTP"),
        (
            "an SMTP banner",
            "220 mail.example ESMTP\r\n\r\n".to_owned(),
            Reason::Protocol,
            "does not answer in HTTP",
        ),
        ("noise", "\0\u{1}\u{2}\r\n\r\n".to_owned(), Reason::Protocol, "does not answer in HTTP"),
        ("nothing", String::new(), Reason::Connect, "closed the connection before it answered"),
        ("half a status line", "HTTP/1.1 20".to_owned(), Reason::Connect, "closed the connection"),
        (
            "half a head",
            "HTTP/1.1 200 OK\r\nServer: x\r\n".to_owned(),
            Reason::Connect,
            "closed the connection",
        ),
        (
            "a length that is none",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n".to_owned(),
            Reason::Protocol,
            "its Content-Length is no number",
        ),
        ("an endless head", many_bytes, Reason::TooLarge, "too large"),
        (
            "a broken chunk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n".to_owned(),
            Reason::Protocol,
            "the body is broken",
        ),
    ];
    for (name, wire, reason, what) in cases {
        let server = Server::answering(wire);

        let outcome = check(server.url("/")).await;

        println!("{name}: {:?}", outcome.error);
        assert_down(&outcome, reason, what);
    }
}

#[actix_rt::test]
async fn a_refused_connection_is_down_and_names_the_address() {
    let (_port_holder, addr) = refusing();

    let outcome = check(format!("http://{addr}/")).await;

    assert_down(&outcome, Reason::Connect, &format!("connection refused by {addr}"));
    assert_eq!(outcome.http_status, None);
    assert_eq!(outcome.remote_addr, None);
}

#[actix_rt::test]
async fn a_reset_before_the_head_is_down_as_connect() {
    // Closing a socket that holds unread bytes resets the connection.
    let server = Server::raw(LOOPBACK, |tcp, _| {
        tcp.peek(&mut [0]).unwrap();
    });

    let outcome = check(server.url("/")).await;

    assert_down(&outcome, Reason::Connect, &format!("connection reset by {}", server.addr));
}

#[actix_rt::test]
async fn a_reset_inside_the_body_is_down_as_protocol() {
    use std::io::{Read as _, Write as _};
    let server = Server::raw(LOOPBACK, |mut tcp, _| {
        let mut first = [0];
        tcp.read_exact(&mut first).unwrap();
        tcp.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello").unwrap();
        // The rest of the request stays unread, so that the close resets.
        tcp.peek(&mut [0]).unwrap();
    });

    let outcome = check(server.url("/")).await;

    // The reset may overtake the head.
    if outcome.http_status.is_some() {
        assert_down(&outcome, Reason::Protocol, "the body is broken: connection reset");
    } else {
        assert_down(&outcome, Reason::Connect, "connection reset");
    }
}

#[actix_rt::test]
async fn the_version_is_the_one_that_the_server_sent() {
    let server = Server::answering("HTTP/1.0 200 OK\r\n\r\nhello world");

    let outcome = check(server.url("/")).await;

    assert_up(&outcome);
    assert_eq!(outcome.http_version, Some("HTTP/1.0"));
    assert_eq!(outcome.body_bytes, 11);
}

#[actix_rt::test]
async fn a_url_that_cannot_be_requested_is_unknown_and_never_down() {
    for url in ["", "no url", "ftp://127.0.0.1/", "http://", "mailto:me@example.org"] {
        let outcome = check(url).await;

        assert_eq!(outcome.reason, Some(Reason::Internal), "{url:?}: {outcome:?}");
        assert_eq!(outcome.status, uptime_monitor::model::Status::Unknown);
    }
}
