//! What is our own fault is `unknown`, never `down`; what is the site's is never `unknown`.

use std::net::UdpSocket;
use std::sync::LazyLock;

use serde_json::json;
use uptime_monitor::model::Reason;
use uptime_monitor::probe::ProbeConfig;

use crate::name_server::name_server;
use crate::server::{Server, answer, redirect, refusing};
use crate::table::{Case, Scene, Want, down, open, run, unknown};

#[actix_rt::test]
async fn every_case() {
    run("our own faults", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [urls(), settings(), name_servers(), not_ours()].into_iter().flatten().collect()
}

/// Validation at load refuses them; a database may hold them all the same.
fn urls() -> Vec<Case> {
    [
        "",
        "no url",
        "ftp://127.0.0.1/",
        "http://",
        "mailto:me@example.org",
        "http://[oh/",
        "http://127.0.0.1:99999/",
    ]
    .map(|url| Case::at(url, unknown()))
    .to_vec()
}

fn settings() -> Vec<Case> {
    let row = |name: &str, settings| {
        Case::answer(name, answer("200 OK", ""), unknown().tells("cannot ")).stored(settings)
    };
    vec![
        row("a setting of a newer version", json!({"request": {"teleport": true}})),
        row("a setting of the wrong type", json!({"expect": {"status": {"from": 200}}})),
        row("settings that are a list", json!([1, 2])),
        row("a regular expression that is none", json!({"expect": {"body": {"matches": ["("]}}})),
        row("a path that is none", json!({"expect": {"json": [{"path": "status"}]}})),
        row("a CA file without a certificate", json!({"tls": {"ca": "nothing"}})),
        row("a client key that is none", json!({"tls": {"client_cert": "x", "client_key": "y"}})),
        row("a server name that is none", json!({"tls": {"server_name": "a b"}})),
    ]
}

/// Bound, and never read.
static MUTE: LazyLock<UdpSocket> = LazyLock::new(|| UdpSocket::bind("127.0.0.1:0").unwrap());
static NAME_SERVER: LazyLock<std::net::SocketAddr> = LazyLock::new(name_server);

fn asking(dns: std::net::SocketAddr) -> ProbeConfig {
    ProbeConfig { dns: vec![dns], ..open() }
}

fn name_servers() -> Vec<Case> {
    let silent = unknown().tells("no name server answers at all");
    vec![
        Case::at("http://web.test/", silent.within(500..=750))
            .timeout(500)
            .config(asking(MUTE.local_addr().unwrap())),
        Case::answer(
            "a redirect to a name that nobody can be asked for",
            redirect("http://web.test/"),
            unknown().http(302),
        )
        .timeout(500)
        .config(asking(MUTE.local_addr().unwrap())),
    ]
}

fn not_ours() -> Vec<Case> {
    let named =
        |name: &str, want: Want| Case::at(format!("http://{name}/"), want).config(asking(*NAME_SERVER));
    let closed = || {
        let (port, addr) = refusing();
        Scene { url: format!("http://{addr}/"), servers: Vec::new(), held: Some(Box::new(port)) }
    };
    vec![
        named("missing.test", down(Reason::Dns).tells("no such name: missing.test")),
        named("empty.test", down(Reason::Dns).tells("empty.test has no address")),
        named("broken.test", down(Reason::Dns).tells("broken.test does not resolve")),
        named("refused.test", down(Reason::Dns).tells("refused.test does not resolve")),
        named("silent.test", down(Reason::Timeout).tells("resolving the name")).timeout(600),
        Case::new("a refused connection", closed, down(Reason::Connect)),
        Case::new(
            "a redirect to a name that is missing",
            || Server::answering(redirect("http://missing.test/")).into(),
            down(Reason::Dns).http(302),
        )
        .config(asking(*NAME_SERVER)),
    ]
}
