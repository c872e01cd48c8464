//! How often a name server is asked: once for each name, family and TTL, whoever asks.

use std::time::Duration;

use futures_util::future::join_all;
use uptime_monitor::clock::Clock;
use uptime_monitor::model::{Status, Target};
use uptime_monitor::probe::{Probe, ProbeSettings};

use crate::double::{A, AAAA, NameServer, Query, Reply};
use crate::{PATIENCE, asking, assert_up, check, probe, settings, target, web};

/// Checks every target `rounds` times, on a thread of its own.
fn check_all(settings: ProbeSettings, targets: Vec<Target>, rounds: usize) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            let probe = Probe::with_settings(&settings, Clock::system());
            for _ in 0..rounds {
                for outcome in join_all(targets.iter().map(|target| check(&probe, target))).await {
                    assert_up(&outcome);
                }
            }
        });
    })
}

#[test]
fn every_thread_knows_what_one_has_asked() {
    const NAMES: usize = 100;
    let server = NameServer::good();
    let (settings, web) = (settings(&asking(&[server.addr])), web());
    let targets: Vec<Target> = (0..NAMES).map(|number| target(&format!("site{number}.test"), &web)).collect();

    let threads: Vec<_> = (0..4).map(|_| check_all(settings.clone(), targets.clone(), 3)).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());

    assert_eq!(server.asked().len(), 2 * NAMES);
    for number in 0..NAMES {
        let name = format!("site{number}.test");
        assert_eq!((server.count(&name, A), server.count(&name, AAAA)), (1, 1), "{name}");
    }
}

#[actix_rt::test]
async fn checks_that_ask_at_the_same_time_ask_one_question_even_where_nothing_may_be_kept() {
    let server = NameServer::new(|query| vec![Reply::loopback(query, 0).after(100)]);
    let (probe, target) = (probe(&asking(&[server.addr])), target("site.test", &web()));

    let outcomes = join_all((0..50).map(|_| check(&probe, &target))).await;

    outcomes.iter().for_each(assert_up);
    assert_eq!((server.count("site.test", A), server.count("site.test", AAAA)), (1, 1));
    assert_up(&check(&probe, &target).await);
    assert_eq!((server.count("site.test", A), server.count("site.test", AAAA)), (2, 2));
}

#[actix_rt::test]
async fn an_answer_is_asked_for_again_when_its_ttl_has_ended_and_not_before() {
    let server = NameServer::new(|query| vec![Reply::loopback(query, 1)]);
    let (probe, target) = (probe(&asking(&[server.addr])), target("site.test", &web()));
    let began = Clock::instant();

    while server.count("site.test", A) < 2 {
        assert_up(&check(&probe, &target).await);
        assert!(Clock::instant() - began < PATIENCE);
    }

    assert!(Clock::instant() - began >= Duration::from_secs(1));
}

#[actix_rt::test]
async fn the_shortest_ttl_of_a_chain_counts() {
    let server = NameServer::new(|query| {
        let address = if query.kind == A { "127.0.0.1" } else { "::1" };
        vec![Reply::empty().alias("site.test", "b.test", 0).address("b.test", address, 300)]
    });
    let (probe, target) = (probe(&asking(&[server.addr])), target("site.test", &web()));

    for _ in 0..2 {
        assert_up(&check(&probe, &target).await);
    }

    assert_eq!(server.count("site.test", A), 2);
}

/// How often `reply` is asked for in three checks.
async fn questions_in_three_checks(reply: Reply) -> usize {
    let server = NameServer::new(move |_: &Query| vec![reply.clone()]);
    let (probe, target) = (probe(&asking(&[server.addr])), target("site.test", &web()));
    for _ in 0..3 {
        assert_eq!(check(&probe, &target).await.status, Status::Down);
    }
    server.count("site.test", A)
}

#[actix_rt::test]
async fn there_is_none_is_kept_as_long_as_the_zone_says() {
    assert_eq!(questions_in_three_checks(Reply::no_such_name().soa(60, 300)).await, 1);
    assert_eq!(questions_in_three_checks(Reply::empty().soa(300, 60)).await, 1);
    // The lesser of the two counts (RFC 2308, section 5), and without an SOA record nothing may be kept.
    assert_eq!(questions_in_three_checks(Reply::no_such_name().soa(300, 0)).await, 3);
    assert_eq!(questions_in_three_checks(Reply::no_such_name().soa(0, 300)).await, 3);
    assert_eq!(questions_in_three_checks(Reply::no_such_name()).await, 3);
    assert_eq!(questions_in_three_checks(Reply::empty()).await, 3);
}

#[actix_rt::test]
async fn an_error_is_asked_about_again_so_that_recovery_shows() {
    assert_eq!(questions_in_three_checks(Reply::code(2)).await, 3);
}

#[actix_rt::test]
async fn a_check_that_gives_up_does_not_take_the_question_with_it() {
    let server = NameServer::new(|query| vec![Reply::loopback(query, 60).after(400)]);
    let (probe, web) = (probe(&asking(&[server.addr])), web());
    let hasty = Target { timeout: Duration::from_millis(100), ..target("site.test", &web) };

    let first = check(&probe, &hasty).await;
    let second = check(&probe, &target("site.test", &web)).await;

    assert!(first.error.unwrap().contains("resolving the name"));
    assert_up(&second);
    assert_eq!(server.count("site.test", A), 1);
}

#[test]
fn a_question_whose_thread_has_ended_is_asked_by_another() {
    let server = NameServer::new(|query| vec![Reply::loopback(query, 60).after(500)]);
    let (settings, web) = (settings(&asking(&[server.addr])), web());
    let hasty = Target { timeout: Duration::from_millis(100), ..target("site.test", &web) };
    let shared = settings.clone();
    std::thread::spawn(move || {
        actix_rt::System::new().block_on(async move {
            check(&Probe::with_settings(&shared, Clock::system()), &hasty).await;
        });
    })
    .join()
    .unwrap();

    let outcome = actix_rt::System::new().block_on(async {
        check(&Probe::with_settings(&settings, Clock::system()), &target("site.test", &web)).await
    });

    assert_up(&outcome);
}
