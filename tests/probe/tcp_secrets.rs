//! What is sent without HTTP is in no result, however a server sends it back.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;

use crate::server::{LOOPBACK, Server};
use crate::tcp::{check, check_shortly, hang, leaving, redis, site};
use crate::{assert_down, no_deadline, open_config, probe};

/// Sends back what it is sent after `-ERR `, and stays connected or says that it is done.
fn echo(leaves: bool) -> Server {
    Server::raw(LOOPBACK, move |mut tcp, _| {
        let mut block = [0; 1024];
        let count = tcp.read(&mut block).unwrap_or(0);
        let _ = tcp.write_all(&[b"-ERR ", &block[..count]].concat());
        if leaves {
            let _ = tcp.shutdown(Shutdown::Write);
        }
        hang(tcp);
    })
}

#[actix_rt::test]
async fn what_is_sent_is_masked_where_a_server_sends_it_back() {
    let keys = json!({"send": "AUTH t0ps3cret\r\n", "expect": "+OK", "request": {"hide": ["t0ps3cret"]}});

    let outcome = check_shortly(&redis(), keys).await;

    assert_down(&outcome, Reason::Timeout, "this came: \"-ERR unknown command '***'");
    assert!(!format!("{outcome:?}").contains("t0ps3cret"), "{outcome:#?}");
}

#[actix_rt::test]
async fn what_is_sent_in_several_lines_is_masked_in_every_text() {
    for send in
        ["USER a\r\nPASS t0ps3cret\r\n", "user\tt0ps3cret\0", "*2\r\n$4\r\nAUTH\r\n$9\r\nt0ps3cret\r\n"]
    {
        let keys = |expect: Json| json!({"send": send, "expect": expect});

        let late = check_shortly(&echo(false), keys(json!("+OK"))).await;
        let done = check(&echo(true), keys(json!("+OK"))).await;
        let bad = check(&echo(false), keys(json!({"body": {"not_contains": "-ERR"}}))).await;

        assert_down(&late, Reason::Timeout, "; this came: \"-ERR ***");
        assert_down(&done, Reason::Body, "answer is \"-ERR ***");
        assert_down(&bad, Reason::Body, "answer has \"-ERR\"");
        for outcome in [late, done, bad] {
            assert!(!format!("{outcome:?}").contains("t0ps3cret"), "{outcome:#?}");
            assert!(outcome.evidence.unwrap().body.unwrap().starts_with("-ERR ***"));
        }
    }
}

#[actix_rt::test]
async fn the_argument_alone_is_masked() {
    for send in ["AUTH t0ps3cret\r\n", "a1 LOGIN \"me\" \"t0ps3cret\"\r\n", "PASS t0ps3cret;"] {
        let server = leaving("-ERR unknown argument 't0ps3cret'\r\n");

        let outcome = check(&server, json!({"send": send, "expect": "+OK"})).await;

        assert_down(&outcome, Reason::Body, "answer is \"-ERR unknown argument '***'\\r\\n\"");
        assert!(!format!("{outcome:?}").contains("t0ps3cret"), "{outcome:#?}");
    }
}

#[actix_rt::test]
async fn what_is_sent_does_not_mask_the_host_that_it_is_sent_to() {
    let server = leaving("-ERR localhost\r\n");
    let url = format!("tcp://localhost:{}", server.port());
    let target = site(&url, json!({"send": "localhost\r\n", "expect": "+OK"}));

    let outcome = probe(&open_config()).check(&target, no_deadline()).await;

    assert_down(&outcome, Reason::Body, "answer is \"-ERR ***");
    assert_eq!(outcome.final_url, Some(url));
    assert_eq!(outcome.hops.len(), 1);
    assert_eq!(Some(&outcome.hops[0].url), outcome.final_url.as_ref());
}
