//! Messages: cut, wrong, in a chain, with and without EDNS.

use crate::double::{A, NameServer, Query, Reply};
use crate::files::Files;
use crate::{assert_down, assert_up, check, check_name, probe, target, web};

#[actix_rt::test]
async fn an_answer_that_is_cut_is_asked_for_over_tcp() {
    let server = NameServer::new(|query| match query.tcp {
        false => vec![Reply::empty().truncated()],
        true => vec![Reply::loopback(query, 60)],
    });

    let outcome = check_name(&[server.addr], "site.test").await;

    assert_up(&outcome);
    let asked: Vec<bool> = server.asked().iter().filter(|query| query.kind == A).map(|q| q.tcp).collect();
    assert_eq!(asked, [false, true]);
}

#[actix_rt::test]
async fn what_an_answer_had_before_it_was_cut_counts_where_tcp_does_not_help() {
    let server = NameServer::new(|query| match query.tcp {
        false => vec![Reply::loopback(query, 60).truncated()],
        true => Vec::new(),
    });

    assert_up(&check_name(&[server.addr], "site.test").await);
}

#[actix_rt::test]
async fn what_answers_no_question_of_ours_is_not_heard() {
    let forged = |query: &Query| Reply::empty().address(&query.name, "127.9.9.9", 60);
    let server = NameServer::new(move |query| {
        vec![
            forged(query).with_wrong_id(),
            forged(query).for_another_question(),
            forged(query).answering_from_another_port(),
            Reply::loopback(query, 60).after(50),
        ]
    });

    let web = web();
    let outcome = check(&probe(&crate::asking(&[server.addr])), &target("site.test", &web)).await;

    assert_up(&outcome);
    assert_eq!(outcome.remote_addr, Some(web.addr));
    assert_eq!(server.count("site.test", A), 1);
}

#[actix_rt::test]
async fn a_chain_of_aliases_is_followed_in_any_order() {
    let server = NameServer::new(|query| {
        let chain = Reply::loopback(query, 60);
        vec![match query.name.as_str() {
            "site.test" => Reply::empty()
                .address("c.test", if query.kind == A { "127.0.0.1" } else { "::1" }, 60)
                .alias("b.test", "c.test", 60)
                .alias("site.test", "b.test", 60),
            _ => chain,
        }]
    });

    assert_up(&check_name(&[server.addr], "site.test").await);
    assert_eq!(server.count("site.test", A), 1);
    assert_eq!(server.asked().len(), 2, "{:?}", server.asked());
}

#[actix_rt::test]
async fn an_alias_that_is_left_to_us_is_asked_for() {
    let server = NameServer::new(|query| {
        vec![match query.name.as_str() {
            "site.test" => Reply::empty().alias("site.test", "target.test", 60),
            _ => Reply::loopback(query, 60),
        }]
    });

    assert_up(&check_name(&[server.addr], "site.test").await);
    assert_eq!(server.count("target.test", A), 1);
}

#[actix_rt::test]
async fn aliases_in_a_circle_are_the_names_fault() {
    let within = NameServer::new(|_| {
        vec![Reply::empty().alias("site.test", "b.test", 60).alias("b.test", "site.test", 60)]
    });
    let between = NameServer::new(|query| {
        let next = if query.name == "site.test" { "b.test" } else { "site.test" };
        vec![Reply::empty().alias(&query.name, next, 60)]
    });

    for server in [within, between] {
        let outcome = check_name(&[server.addr], "site.test").await;

        assert_down(&outcome, &["site.test does not resolve", "aliases"]);
    }
}

#[actix_rt::test]
async fn an_alias_to_a_name_that_is_missing_is_no_such_name() {
    let server =
        NameServer::new(|query| vec![Reply::no_such_name().alias(&query.name, "gone.test", 60).soa(60, 60)]);

    assert_down(&check_name(&[server.addr], "site.test").await, &["no such name: site.test"]);
}

#[actix_rt::test]
async fn a_server_that_does_not_know_edns_is_asked_without() {
    let server = NameServer::new(|query| match query.edns {
        true => vec![Reply::code(1).without_question()],
        false => vec![Reply::loopback(query, 60)],
    });
    let files = Files::new(server.addr.port());
    files.resolv_conf("nameserver 127.0.0.1\noptions edns0\n");

    let outcome = check(&probe(&files.config()), &target("site.test", &web())).await;

    assert_up(&outcome);
    let edns: Vec<bool> = server.asked().iter().filter(|query| query.kind == A).map(|q| q.edns).collect();
    assert_eq!(edns, [true, false]);
}

#[actix_rt::test]
async fn tcp_alone_is_enough_where_it_is_asked_for() {
    let server =
        NameServer::new(|query| if query.tcp { vec![Reply::loopback(query, 60)] } else { Vec::new() });
    let files = Files::new(server.addr.port());
    files.resolv_conf("nameserver 127.0.0.1\noptions use-vc\n");

    assert_up(&check(&probe(&files.config()), &target("site.test", &web())).await);
}
