//! Addresses that nobody may go to, in every spelling, from every direction.

use std::sync::LazyLock;

use serde_json::json;
use uptime_monitor::model::Reason;
use uptime_monitor::probe::ProbeConfig;

use crate::name_server::name_server;
use crate::server::{Server, answer, redirect};
use crate::table::{Case, Scene, Want, down, open, run, up};

#[actix_rt::test]
async fn every_case() {
    run("guard", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [loopback(), metadata(), words(), names(), redirected()].into_iter().flatten().collect()
}

fn denying(rules: &[&str]) -> ProbeConfig {
    ProbeConfig { deny_targets: rules.iter().map(|&rule| rule.to_owned()).collect(), ..open() }
}

fn blocked(rule: &str) -> Want {
    down(Reason::Blocked).tells(format!("deny_targets forbids ({rule})"))
}

/// A server that must not be reached at `host`, under `rule`.
fn shut(host: &'static str, rule: &'static str) -> Case {
    let scene = move || {
        let server = Server::answering(answer("200 OK", ""));
        Scene { url: format!("http://{host}:{}/", server.port()), servers: vec![server], held: None }
    };
    Case::new(format!("{host} under {rule}"), scene, blocked(rule)).config(denying(&[rule])).also(
        |outcome, scene| {
            assert_eq!((outcome.timings.connect_us, scene.servers[0].connections()), (None, 0));
        },
    )
}

fn loopback() -> Vec<Case> {
    let spellings = [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "127.000.000.001",
        "127.255.255.254",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "0x7f.0.0.0x1",
        "0177.0.0.1",
        "127.0.0.1.",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "0.0.0.0",
        "0",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "user:secret@127.0.0.1",
    ];
    spellings.map(|host| shut(host, "loopback")).to_vec()
}

/// Where clouds keep a machine's credentials. Denied unless somebody allows it.
fn metadata() -> Vec<Case> {
    let spellings = [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "0xa9.0xfe.0xa9.0xfe",
        "169.254.43518",
        "169.16689662",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::1]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
    ];
    let row = |host: &str| {
        Case::at(format!("http://{host}/latest/meta-data/"), blocked("link-local"))
            .config(ProbeConfig::default())
    };
    spellings.map(row).to_vec()
}

fn words() -> Vec<Case> {
    let at =
        |host: &str, rule: &str| Case::at(format!("http://{host}/"), blocked(rule)).config(denying(&[rule]));
    let open_to = |rules: &'static [&'static str]| {
        Case::answer(format!("127.0.0.1 under {rules:?}"), answer("200 OK", ""), up()).config(denying(rules))
    };
    vec![
        at("10.1.2.3", "private"),
        at("172.16.0.1", "private"),
        at("192.168.1.1", "private"),
        at("[fd12:3456::1]", "private"),
        at("224.0.0.1", "multicast"),
        at("[ff02::1]", "multicast"),
        at("0.0.0.0", "unspecified"),
        at("[::]", "unspecified"),
        at("100.64.0.1", "non-public"),
        at("198.18.0.1", "non-public"),
        at("240.0.0.1", "non-public"),
        at("255.255.255.255", "non-public"),
        at("192.0.2.1", "192.0.2.0/24"),
        at("[2001:db8::1]", "2001:db8::/32"),
        at("[::ffff:192.0.2.1]", "192.0.2.0/24"),
        shut("127.0.0.1", "127.0.0.0/8"),
        shut("127.0.0.1", "127.0.0.1/32"),
        shut("127.0.0.1", "non-public"),
        open_to(&[]),
        open_to(&["private", "link-local", "multicast", "unspecified"]),
        open_to(&["127.0.0.2", "127.0.0.128/25"]),
    ]
}

static NAME_SERVER: LazyLock<std::net::SocketAddr> = LazyLock::new(name_server);

/// Judged is what a name leads to, not how it looks.
fn names() -> Vec<Case> {
    let named = |name: &'static str, rules: &[&str], want: Want| {
        let scene = move || {
            let server = Server::answering(answer("200 OK", ""));
            Scene { url: format!("http://{name}:{}/", server.port()), servers: vec![server], held: None }
        };
        let config = ProbeConfig { dns: vec![*NAME_SERVER], ..denying(rules) };
        Case::new(format!("{name} under {rules:?}"), scene, want).config(config)
    };
    vec![
        named("web.test", &[], up()),
        named("web.test", &["loopback"], blocked("loopback").tells("web.test leads to 127.0.0.1")),
        named("web.test", &["10.0.0.0/8"], up()),
        named("127.0.0.1.web.test", &["127.0.0.1"], down(Reason::Dns)),
        named("dual.test", &["::1"], up()),
        named("dual.test", &["loopback"], blocked("loopback")),
        named("dual.test", &["::1"], up()).with(json!({"request": {"ip": "v4"}})),
        named("dual.test", &["127.0.0.1"], blocked("127.0.0.1/32").tells("dual.test leads to 127.0.0.1"))
            .with(json!({"request": {"ip": "v4"}})),
        named("dual.test", &["::1"], blocked("::1/128").tells("dual.test leads to ::1"))
            .with(json!({"request": {"ip": "v6"}})),
        named("web.test", &[], down(Reason::Dns).tells("web.test has no IPv6 address"))
            .with(json!({"request": {"ip": "v6"}})),
    ]
}

fn redirected() -> Vec<Case> {
    let hosts = [
        "127.9.9.9",
        "2131298569",
        "0x7f.9.9.9",
        "[::ffff:127.9.9.9]",
        "[64:ff9b::7f09:909]",
        "//127.9.9.9",
        "user@127.9.9.9",
    ];
    let row = |host: &str| {
        let location = if host.starts_with("//") { format!("{host}/") } else { format!("http://{host}/") };
        Case::answer(format!("a redirect to {host}"), redirect(&location), blocked("127.9.0.0/16").http(302))
            .config(denying(&["127.9.0.0/16"]))
            .also(|outcome, _| assert_eq!(outcome.redirects, 1))
    };
    hosts.map(row).to_vec()
}
