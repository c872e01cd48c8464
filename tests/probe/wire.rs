//! What the server sees, and how much of its body is read.

use uptime_monitor::probe::ProbeConfig;

use crate::server::{Server, answer};
use crate::{assert_up, check, check_with, open_config};

#[actix_rt::test]
async fn the_request_says_who_asks_and_that_the_connection_ends() {
    let config = ProbeConfig { user_agent: "watcher/1".to_owned(), ..open_config() };
    let server = Server::answering(answer("200 OK", ""));

    check_with(&config, server.url("/path?q=a%20b#fragment")).await;

    let request = server.requests().remove(0);
    let (line, headers) = request.split_once("\r\n").unwrap();
    let headers = headers.to_lowercase();
    assert_eq!(line, "GET /path?q=a%20b HTTP/1.1");
    for header in
        [format!("host: {}", server.addr), "user-agent: watcher/1".into(), "connection: close".into()]
    {
        assert!(headers.contains(&format!("{header}\r\n")), "{header} in {headers}");
    }
    assert_eq!(headers.matches("host:").count(), 1);
    assert!(!headers.contains("accept-encoding") && !headers.contains("transfer-encoding"), "{headers}");
}

#[actix_rt::test]
async fn a_user_in_the_url_is_given_to_nobody() {
    let server = Server::answering(answer("200 OK", ""));

    let outcome = check(format!("http://user:secret@{}/", server.addr)).await;

    assert_up(&outcome);
    assert_eq!(outcome.final_url, Some(server.url("/")));
    let request = server.requests().remove(0);
    assert!(!request.contains("secret") && !request.to_lowercase().contains("authorization"), "{request}");
}

#[actix_rt::test]
async fn no_connection_is_used_twice_even_when_the_server_would_keep_it() {
    let server = Server::new(|mut exchange| {
        exchange.send("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok");
        exchange.hang();
    });
    let probe = crate::probe(&open_config());

    for _ in 0..3 {
        assert_up(&probe.check(&crate::target(server.url("/")), crate::no_deadline()).await);
    }

    assert_eq!(server.connections(), 3);
}

#[actix_rt::test]
async fn the_body_is_read_to_the_limit_and_no_further() {
    let config = ProbeConfig { body_limit: 1000, ..open_config() };
    for (sent, read, truncated) in
        [(999, 999, false), (1000, 1000, false), (1001, 1000, true), (500_000, 1000, true)]
    {
        let server = Server::answering(answer("200 OK", &"x".repeat(sent)));

        let outcome = check_with(&config, server.url("/")).await;

        assert_up(&outcome);
        assert_eq!((outcome.body_bytes, outcome.body_truncated), (read, truncated), "{sent} bytes sent");
    }
}

#[actix_rt::test]
async fn an_endless_body_ends_at_the_limit() {
    let server = Server::new(|mut exchange| {
        exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("{:x}\r\n{}\r\n", 65_536, "x".repeat(65_536));
        while std::io::Write::write_all(&mut exchange.tcp, chunk.as_bytes()).is_ok() {}
    });

    let outcome = check(server.url("/")).await;

    assert_up(&outcome);
    assert_eq!((outcome.body_bytes, outcome.body_truncated), (1024 * 1024, true));
}

#[actix_rt::test]
async fn a_chunked_body_is_counted_without_its_framing() {
    let server = Server::answering(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
    );

    let outcome = check(server.url("/")).await;

    assert_up(&outcome);
    assert_eq!(outcome.body_bytes, 6);
}
