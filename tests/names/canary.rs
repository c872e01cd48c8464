//! Whose fault it is: the name's, or that of the name servers whatever the name.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use uptime_monitor::model::{Reason, Status, Target};

use crate::double::{NameServer, Query, Reply};
use crate::files::Files;
use crate::{
    asking, assert_down, assert_tells, assert_unknown, assert_up, check, check_name, of_family, probe,
    target, web,
};

const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

#[actix_rt::test]
async fn an_error_for_one_name_is_the_names_fault() {
    for (code, word) in [(1, "FORMERR"), (2, "SERVFAIL"), (4, "NOTIMP"), (5, "REFUSED")] {
        let server = NameServer::new(move |_| vec![Reply::code(code)]);

        let outcome = check_name(&[server.addr], "site.test").await;

        let who = format!("site.test does not resolve: {} answered {word}", server.addr);
        assert_down(&outcome, &[&who]);
    }
}

#[actix_rt::test]
async fn an_error_for_every_name_is_our_own_trouble() {
    for (code, word) in [(2, "SERVFAIL"), (5, "REFUSED")] {
        let server = NameServer::at(ANY, move |_| vec![Reply::code(code)]);

        let outcome = check_name(&[server.addr], "site.test").await;

        assert_unknown(&outcome, &["cannot resolve site.test", word]);
    }
}

#[actix_rt::test]
async fn a_server_that_resolves_some_names_and_not_the_root_is_no_trouble() {
    let server = NameServer::at(ANY, |query| match query.name.as_str() {
        "intranet.test" => vec![Reply::loopback(query, 0)],
        _ => vec![Reply::code(5)],
    });
    let (probe, web) = (probe(&asking(&[server.addr])), web());
    assert_up(&check(&probe, &target("intranet.test", &web)).await);

    let outcome = check(&probe, &target("site.test", &web)).await;

    assert_down(&outcome, &["site.test does not resolve", "REFUSED"]);
}

#[actix_rt::test]
async fn one_canary_serves_all_checks_that_fail_at_once() {
    let server = NameServer::at(ANY, |_| vec![Reply::code(2).after(20)]);
    let (probe, web) = (probe(&asking(&[server.addr])), web());
    let targets: Vec<Target> =
        (0..100).map(|number| of_family(target(&format!("site{number}.test"), &web), "v4")).collect();

    let outcomes = join_all(targets.iter().map(|target| check(&probe, target))).await;

    for outcome in &outcomes {
        assert_unknown(outcome, &["SERVFAIL"]);
    }
    let canaries = server.all_asked().iter().filter(|query| query.name.is_empty()).count();
    assert!((1..=2).contains(&canaries), "{canaries}");
}

#[actix_rt::test]
async fn a_resolver_that_has_recovered_is_believed_again() {
    static IS_ILL: AtomicBool = AtomicBool::new(true);
    let server = NameServer::at(ANY, |query: &Query| match query.name.as_str() {
        _ if IS_ILL.load(Ordering::Relaxed) => vec![Reply::code(2)],
        "broken.test" => vec![Reply::code(2)],
        _ => vec![Reply::loopback(query, 60)],
    });
    let (probe, target) = (probe(&asking(&[server.addr])), target("broken.test", &web()));
    assert_unknown(&check(&probe, &target).await, &[]);

    IS_ILL.store(false, Ordering::Relaxed);

    crate::until(&probe, &target, |outcome| outcome.status == Status::Down).await;
}

#[actix_rt::test]
async fn silence_on_one_name_is_the_names_fault() {
    let server = NameServer::new(|_| Vec::new());
    let files = Files::new(server.addr.port());
    files.resolv_conf("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n");

    let outcome = check(&probe(&files.config()), &target("site.test", &web())).await;

    let who = format!("{} was silent for 1s", server.addr);
    assert_down(&outcome, &["no name server answered for site.test", &who]);
}

#[actix_rt::test]
async fn a_timeout_tells_who_was_silent_and_who_is_asked() {
    let first = NameServer::new(|_| Vec::new());
    let second = NameServer::at((Ipv4Addr::new(127, 0, 0, 2), first.addr.port()), |_| Vec::new());
    let files = Files::new(first.addr.port());
    files.resolv_conf("nameserver 127.0.0.1\nnameserver 127.0.0.2\noptions timeout:1\n");
    let slow = Target { timeout: Duration::from_millis(1_300), ..target("site.test", &web()) };

    let outcome = check(&probe(&files.config()), &slow).await;

    assert_eq!((outcome.status, outcome.reason), (Status::Down, Some(Reason::Timeout)), "{outcome:#?}");
    let silent = format!("{} was silent for 1s, waiting for {}", first.addr, second.addr);
    assert_tells(&outcome, &["no answer within 1s300ms: resolving the name", &silent]);
}

#[actix_rt::test]
async fn a_timeout_while_nobody_answers_anything_is_our_own_trouble() {
    let mute = UdpSocket::bind("127.0.0.1:0").unwrap();
    let quick = Target { timeout: Duration::from_millis(500), ..target("site.test", &web()) };

    let outcome = check(&probe(&asking(&[mute.local_addr().unwrap()])), &quick).await;

    assert_unknown(&outcome, &["no name server answers at all"]);
}

#[actix_rt::test]
async fn a_lack_of_turns_is_our_own_trouble() {
    let server = NameServer::new(|_| Vec::new());
    let config = uptime_monitor::probe::ProbeConfig { questions: 2, ..asking(&[server.addr]) };
    let (probe, web) = (probe(&config), web());
    let quick = |name: &str| {
        let timeout = Duration::from_millis(600);
        Target { timeout, ..of_family(target(name, &web), "v4") }
    };
    let (first, second) = (quick("a.test"), quick("b.test"));

    let outcomes = join_all([&first, &second].map(|target| check(&probe, target))).await;

    assert_eq!(outcomes[0].reason, Some(Reason::Timeout), "{outcomes:#?}");
    assert_unknown(&outcomes[1], &["too many names are being asked for at once"]);
}
