//! Names that resolve, names that do not, and addresses that nobody may go to.

use std::net::{Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use uptime_monitor::model::{Reason, Status, Target};
use uptime_monitor::probe::ProbeConfig;

use crate::name_server::name_server;
use crate::server::{Server, answer, hanging};
use crate::{assert_down, assert_up, check, check_with, no_deadline, open_config, probe};

fn asking(name_server: SocketAddr) -> ProbeConfig {
    ProbeConfig { dns: vec![name_server], ..open_config() }
}

#[actix_rt::test]
async fn a_name_is_asked_for_at_the_configured_server() {
    let web = Server::answering(answer("200 OK", ""));
    let config = asking(name_server());

    let outcome = check_with(&config, format!("http://web.test:{}/", web.port())).await;

    assert_up(&outcome);
    assert_eq!(outcome.remote_addr, Some(web.addr));
    assert!(outcome.timings.dns_us.is_some());
    assert!(web.requests()[0].to_lowercase().contains(&format!("host: web.test:{}\r\n", web.port())));
}

#[actix_rt::test]
async fn a_name_without_an_address_is_down_as_dns() {
    let config = asking(name_server());
    let cases = [
        ("missing.test", "no such name: missing.test"),
        ("empty.test", "empty.test has no address"),
        ("broken.test", "broken.test does not resolve"),
        ("refused.test", "refused.test does not resolve"),
    ];
    for (name, what) in cases {
        let outcome = check_with(&config, format!("http://{name}/")).await;

        assert_down(&outcome, Reason::Dns, what);
        assert!(outcome.timings.dns_us.is_some());
        assert_eq!(outcome.timings.connect_us, None);
    }
}

#[actix_rt::test]
async fn a_silent_name_server_costs_no_more_than_the_timeout() {
    let probe = probe(&asking(name_server()));
    let target = Target {
        url: "http://silent.test/".into(),
        timeout: Duration::from_millis(600),
        retries: 0,
        settings: None,
    };

    let outcome = probe.check(&target, no_deadline()).await;

    assert_down(&outcome, Reason::Timeout, "resolving the name");
}

#[actix_rt::test]
async fn name_servers_that_do_not_answer_anything_are_our_own_trouble() {
    let bound = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mute = bound.local_addr().unwrap();
    for nobody in [mute, "[2001:db8::1]:53".parse().unwrap()] {
        let probe = probe(&asking(nobody));
        let target = Target {
            url: "http://web.test/".into(),
            timeout: Duration::from_millis(500),
            retries: 0,
            settings: None,
        };

        let outcome = probe.check(&target, no_deadline()).await;

        assert_eq!(
            (outcome.status, outcome.reason),
            (Status::Unknown, Some(Reason::Internal)),
            "{outcome:#?}"
        );
        assert!(outcome.error.unwrap().contains("no name server answers at all"));
    }
}

#[actix_rt::test]
async fn localhost_needs_no_name_server() {
    let web = Server::answering(answer("200 OK", ""));
    let (_port_holder, nobody) = crate::server::refusing();

    let outcome = check_with(&asking(nobody), format!("http://localhost:{}/", web.port())).await;

    assert_up(&outcome);
}

/// A server on ::1 at the given port, 0 for any; `None` on a machine without IPv6.
fn on_ipv6(port: u16) -> Option<Server> {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        println!("LEFT OUT: this machine has no IPv6 loopback");
        return None;
    }
    let serve = |mut tcp, _| {
        crate::server::read_head(&mut tcp);
        std::io::Write::write_all(&mut tcp, answer("200 OK", "").as_bytes()).unwrap();
    };
    Some(Server::raw((Ipv6Addr::LOCALHOST, port).into(), serve))
}

#[actix_rt::test]
async fn a_name_with_two_addresses_is_up_when_only_the_second_answers() {
    let Some(web) = on_ipv6(0) else { return };

    let outcome = check_with(&asking(name_server()), format!("http://dual.test:{}/", web.port())).await;

    assert_up(&outcome);
    assert_eq!(outcome.remote_addr, Some(web.addr));
}

#[actix_rt::test]
async fn an_address_that_hangs_holds_the_next_one_up_for_a_quarter_of_a_second() {
    let (_queue, full) = hanging().await;
    let Some(web) = on_ipv6(full.local_addr().unwrap().port()) else { return };

    let outcome = check_with(&asking(name_server()), format!("http://dual.test:{}/", web.port())).await;

    assert_up(&outcome);
    assert_eq!(outcome.remote_addr, Some(web.addr));
    let connect_us = outcome.timings.connect_us.unwrap();
    assert!((250_000..900_000).contains(&connect_us), "{connect_us} us");
}

#[actix_rt::test]
async fn an_address_that_this_machine_has_no_way_to_is_unknown() {
    // 2001:db8::/32 is for documentation. Where it has a route all the same, the test cannot be made.
    let probed = UdpSocket::bind("[::]:0").and_then(|socket| socket.connect("[2001:db8::1]:80"));
    if probed.is_ok() {
        println!("LEFT OUT: this machine has a route for every IPv6 address");
        return;
    }

    let outcome = check("http://[2001:db8::1]/").await;

    assert_eq!((outcome.status, outcome.reason), (Status::Unknown, Some(Reason::Internal)), "{outcome:#?}");
    assert!(outcome.error.unwrap().contains("[2001:db8::1]:80"));
}
