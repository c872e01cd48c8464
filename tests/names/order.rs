//! Which name server is asked, and when the next one.

use std::net::SocketAddr;

use crate::double::{A, NameServer, Reply};
use crate::files::Files;
use crate::server::refusing;
use crate::{assert_down, assert_tells, assert_up, check, check_name, dns_ms, probe, target, web};

#[actix_rt::test]
async fn the_next_server_is_asked_when_one_fails() {
    let (_port, nobody) = refusing();
    let failing = |code: u8| NameServer::new(move |_| vec![Reply::code(code)]).addr;
    let cases = [
        ("FORMERR", failing(1)),
        ("SERVFAIL", failing(2)),
        ("NOTIMP", failing(4)),
        ("REFUSED", failing(5)),
        ("nobody listens", nobody),
        ("no route", "[2001:db8::1]:53".parse::<SocketAddr>().unwrap()),
    ];
    for (what, first) in cases {
        let second = NameServer::good();

        let outcome = check_name(&[first, second.addr], "site.test").await;

        println!("{what}");
        assert_up(&outcome);
        assert_eq!(second.count("site.test", A), 1, "{what}");
    }
}

#[actix_rt::test]
async fn the_next_server_is_asked_when_one_is_silent() {
    let silent = NameServer::new(|_| Vec::new());
    let good = NameServer::good();

    let outcome = check_name(&[silent.addr, good.addr], "site.test").await;

    assert_up(&outcome);
    assert!((2_000..4_000).contains(&dns_ms(&outcome)), "{outcome:#?}");
}

#[actix_rt::test]
async fn a_slow_first_server_is_waited_for_and_no_other_is_asked() {
    let slow = NameServer::new(|query| vec![Reply::loopback(query, 60).after(300)]);
    let hasty = NameServer::new(|_| vec![Reply::no_such_name().soa(60, 60)]);

    let outcome = check_name(&[slow.addr, hasty.addr], "intranet.corp.test").await;

    assert_up(&outcome);
    assert!(hasty.asked().is_empty(), "{:?}", hasty.asked());
}

#[actix_rt::test]
async fn no_such_name_from_the_first_server_is_final() {
    let first = NameServer::new(|_| vec![Reply::no_such_name().soa(60, 60)]);
    let second = NameServer::good();

    let outcome = check_name(&[first.addr, second.addr], "site.test").await;

    assert_down(&outcome, &["no such name: site.test"]);
    assert!(second.asked().is_empty(), "{:?}", second.asked());
}

#[actix_rt::test]
async fn no_address_from_the_first_server_is_final() {
    let first = NameServer::new(|_| vec![Reply::empty().soa(60, 60)]);
    let second = NameServer::good();

    let outcome = check_name(&[first.addr, second.addr], "site.test").await;

    assert_down(&outcome, &["site.test has no address"]);
    assert!(second.asked().is_empty(), "{:?}", second.asked());
}

#[actix_rt::test]
async fn who_failed_before_another_said_no_such_name_is_told() {
    let first = NameServer::new(|_| vec![Reply::code(2)]);
    let second = NameServer::new(|_| vec![Reply::no_such_name()]);

    let outcome = check_name(&[first.addr, second.addr], "site.test").await;

    let who = format!("{} answered SERVFAIL", first.addr);
    assert_down(&outcome, &["no such name: site.test", &who]);
}

#[actix_rt::test]
async fn a_server_that_failed_is_not_asked_again_for_the_same_name() {
    let first = NameServer::new(|_| vec![Reply::code(2)]);
    let second = NameServer::new(|_| vec![Reply::code(5)]);

    let outcome = check_name(&[first.addr, second.addr], "site.test").await;

    assert_tells(&outcome, &["answered SERVFAIL", "answered REFUSED"]);
    assert_eq!((first.count("site.test", A), second.count("site.test", A)), (1, 1));
}

#[actix_rt::test]
async fn one_lost_datagram_is_sent_again() {
    let lossy = NameServer::new({
        let first = std::sync::atomic::AtomicBool::new(true);
        move |query| match query.kind {
            A if first.swap(false, std::sync::atomic::Ordering::Relaxed) => Vec::new(),
            A => vec![Reply::loopback(query, 60)],
            _ => vec![Reply::empty().soa(60, 60)],
        }
    });

    let files = Files::new(lossy.addr.port());
    files.resolv_conf("nameserver 127.0.0.1\noptions timeout:1\n");

    let outcome = check(&probe(&files.config()), &target("site.test", &web())).await;

    assert_up(&outcome);
    assert_eq!(lossy.count("site.test", A), 2);
}
