//! Where redirects lead, and where they end.

use uptime_monitor::model::Reason;
use uptime_monitor::probe::ProbeConfig;

use crate::server::{Server, answer, redirect};
use crate::{assert_down, assert_up, check, check_with, open_config};

/// Answers `/hops/N` with a redirect to `/hops/N-1`, and `/hops/0` with 200.
fn countdown() -> Server {
    Server::new(|mut exchange| {
        let left: u32 = exchange.path().rsplit('/').next().unwrap().parse().unwrap();
        let wire = if left == 0 { answer("200 OK", "there") } else { redirect(&format!("{}", left - 1)) };
        exchange.send(wire);
    })
}

#[actix_rt::test]
async fn every_hop_is_counted_and_has_its_own_connection() {
    let server = countdown();

    let outcome = check(server.url("/hops/3")).await;

    assert_up(&outcome);
    assert_eq!(outcome.redirects, 3);
    assert_eq!(outcome.final_url, Some(server.url("/hops/0")));
    assert_eq!(outcome.body_bytes, 5);
    assert_eq!(server.connections(), 4);
}

#[actix_rt::test]
async fn each_redirecting_status_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::new(move |mut exchange| {
            let moved = format!("HTTP/1.1 {status} Moved\r\nLocation: /new\r\nContent-Length: 0\r\n\r\n");
            let wire = if exchange.path() == "/new" { answer("200 OK", "") } else { moved };
            exchange.send(wire);
        });

        let outcome = check(server.url("/old")).await;

        assert_up(&outcome);
        assert_eq!(outcome.redirects, 1, "{status}");
        assert!(server.requests().iter().all(|request| request.starts_with("GET ")));
    }
}

#[actix_rt::test]
async fn a_location_is_relative_to_its_own_url() {
    let cases = [
        ("b", "/dir/b"),
        ("/b", "/b"),
        ("../b?q=1", "/b?q=1"),
        ("?q=2", "/dir/a?q=2"),
        ("b#fragment", "/dir/b"),
        ("./b c", "/dir/b%20c"),
        ("b\u{e9}", "/dir/b%C3%A9"),
    ];
    for (location, arrives_at) in cases {
        let server = Server::new(move |mut exchange| {
            let first = exchange.path() == "/dir/a";
            exchange.send(if first { redirect(location) } else { answer("200 OK", "") });
        });

        let outcome = check(server.url("/dir/a")).await;

        assert_up(&outcome);
        assert_eq!(outcome.final_url, Some(server.url(arrives_at)), "{location}");
        assert!(server.requests()[1].starts_with(&format!("GET {arrives_at} HTTP/1.1\r\n")), "{location}");
    }
}

#[actix_rt::test]
async fn a_redirect_to_another_host_sends_that_hosts_name() {
    let other = Server::answering(answer("200 OK", ""));
    let location = format!("http://localhost:{}/x", other.port());
    let server = Server::answering(redirect(&location));

    let outcome = check(server.url("/")).await;

    assert_up(&outcome);
    assert_eq!(outcome.final_url, Some(location));
    assert_eq!(outcome.remote_addr, Some(other.addr));
    assert!(
        other.requests()[0].to_lowercase().contains(&format!("\r\nhost: localhost:{}\r\n", other.port()))
    );
}

#[actix_rt::test]
async fn a_loop_is_down_as_soon_as_it_closes() {
    let server = Server::new(|mut exchange| {
        let next = if exchange.path() == "/a" { "/b" } else { "/a" };
        exchange.send(redirect(next));
    });

    let outcome = check(server.url("/a")).await;

    assert_down(&outcome, Reason::Redirect, &format!("redirect loop: back at {}", server.url("/a")));
    assert_eq!(outcome.redirects, 1);
    assert_eq!(outcome.http_status, Some(302));
    assert_eq!(server.connections(), 2);
}

#[actix_rt::test]
async fn a_url_that_differs_only_in_its_fragment_is_a_loop() {
    let server = Server::answering(redirect("/a#elsewhere"));

    let outcome = check(server.url("/a")).await;

    assert_down(&outcome, Reason::Redirect, "redirect loop");
}

#[actix_rt::test]
async fn the_limit_is_the_number_of_hops_followed() {
    let config = ProbeConfig { max_redirects: 2, ..open_config() };
    let server = countdown();

    let within = check_with(&config, server.url("/hops/2")).await;
    let beyond = check_with(&config, server.url("/hops/3")).await;

    assert_up(&within);
    assert_down(&beyond, Reason::Redirect, "more than 2 redirects");
    assert_eq!(beyond.redirects, 2);
    assert_eq!(beyond.http_status, Some(302));
}

#[actix_rt::test]
async fn a_location_that_is_missing_or_unusable_is_down() {
    let cases = [
        ("HTTP/1.1 301 Moved Permanently\r\nContent-Length: 0\r\n\r\n".to_owned(), "without a Location"),
        (redirect("ftp://127.0.0.1/"), "neither http nor https"),
        (redirect("mailto:me@example.org"), "neither http nor https"),
        (redirect("http://[oh/"), "unusable Location"),
        (redirect("http://"), "unusable Location"),
    ];
    for (wire, what) in cases {
        let server = Server::answering(wire);

        let outcome = check(server.url("/")).await;

        assert_down(&outcome, Reason::Redirect, what);
        assert_eq!(outcome.redirects, 0);
        assert!(outcome.http_status.is_some());
    }
}

#[actix_rt::test]
async fn a_hop_that_fails_is_counted_and_leaves_the_status_of_the_answer_before() {
    let (_port_holder, refusing) = crate::server::refusing();
    let server = Server::answering(redirect(&format!("http://{refusing}/")));

    let outcome = check(server.url("/")).await;

    assert_down(&outcome, Reason::Connect, &format!("refused by {refusing}"));
    assert_eq!(outcome.redirects, 1);
    assert_eq!(outcome.http_status, Some(302));
    assert_eq!(outcome.final_url, Some(format!("http://{refusing}/")));
}
