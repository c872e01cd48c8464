//! Which certificates hold, which do not, and which will not for long.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;

use crate::authority::{
    self, Authority, Day, FAR_OFF, Identity, LONG_AGO, VALID, send_and_close, serve, serve_with,
};
use crate::server::{Server, answer, redirect};
use crate::table::{AUTHORITY, Case, Scene, Want, degraded, down, run, up};

#[actix_rt::test]
async fn every_case() {
    run("certificates", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [chains(), names(), listed(), anything_goes(), warnings(), hidden()].into_iter().flatten().collect()
}

const ENDED: (Day, Day) = (LONG_AGO, (2003, 4, 5));
const TO_COME: (Day, Day) = ((2080, 1, 1), FAR_OFF);

/// `server` at the name that its certificate is for.
pub(crate) fn at_localhost(server: Server) -> Scene {
    Scene { url: format!("https://localhost:{}/", server.port()), servers: vec![server], held: None }
}

/// A server with the certificate that `show` makes. What it showed is kept, also when it was refused.
fn shown(name: &str, show: impl Fn() -> Identity + 'static, want: Want) -> Case {
    Case::new(name, move || at_localhost(serve(show())), want).also(|outcome, _| {
        let certificate = outcome.certificate.as_ref().expect("the certificate is kept");
        assert_eq!((certificate.subject.as_str(), certificate.fingerprint.len()), ("CN=the leaf", 64));
    })
}

fn refused(tells: &str) -> Want {
    down(Reason::Tls).tells(tells)
}

fn valid() -> Identity {
    AUTHORITY.leaf(&["localhost"], VALID)
}

fn stranger() -> Identity {
    Authority::new("a stranger").leaf(&["localhost"], VALID)
}

fn own() -> Identity {
    Identity::self_signed(&["localhost"], false)
}

fn through(validity: (Day, Day)) -> Identity {
    let between = AUTHORITY.intermediate("in between", validity);
    let mut identity = between.leaf(&["localhost"], VALID);
    identity.chain.push(between.der());
    identity
}

fn chains() -> Vec<Case> {
    let alone = || {
        let mut identity = through(VALID);
        identity.chain.pop();
        identity
    };
    let with_root = || {
        let mut identity = valid();
        identity.chain.push(AUTHORITY.der());
        identity
    };
    let unknown = "the certificate comes from an unknown issuer";
    vec![
        shown("a certificate of the authority", valid, up().bytes(5)),
        shown("one through an intermediate", || through(VALID), up()),
        shown("the root sent along", with_root, up()),
        shown("an intermediate that is not sent", alone, refused(unknown)),
        shown("an intermediate that has expired", || through(ENDED), refused("expired")),
        shown(
            "expired",
            || AUTHORITY.leaf(&["localhost"], ENDED),
            refused("the certificate expired on 2003-04-05"),
        ),
        shown(
            "not yet valid",
            || AUTHORITY.leaf(&["localhost"], TO_COME),
            refused("not valid before 2080-01-01"),
        ),
        shown("of an authority that nobody knows", stranger, refused(unknown)),
        shown(
            "signed by itself, as an authority",
            || Identity::self_signed(&["localhost"], true),
            refused("self-signed"),
        ),
        shown("signed by itself", own, refused("self-signed")),
        shown(
            "expired and of a stranger",
            || Authority::new("a stranger").leaf(&["localhost"], ENDED),
            down(Reason::Tls),
        ),
    ]
}

fn names() -> Vec<Case> {
    let of = |names: &'static [&'static str]| move || AUTHORITY.leaf(names, VALID);
    let by_address = |names: &'static [&'static str]| {
        move || {
            let server = serve(AUTHORITY.leaf(names, VALID));
            Scene { url: format!("https://{}/", server.addr), servers: vec![server], held: None }
        }
    };
    let called = |name: &str| json!({"tls": {"server_name": name}});
    vec![
        shown("one of several names", of(&["shop.test", "localhost"]), up()),
        shown("a name in capitals", of(&["LOCALHOST"]), up()),
        shown(
            "other names",
            of(&["shop.test", "www.shop.test"]),
            refused("not valid for localhost, but for shop.test, www.shop.test"),
        ),
        shown("no name at all", of(&[]), refused("not valid for localhost")),
        Case::new("an address", by_address(&["127.0.0.1"]), up()),
        Case::new("another address", by_address(&["127.0.0.2"]), refused("not valid for 127.0.0.1")),
        Case::new(
            "a name, but asked for by address",
            by_address(&["localhost"]),
            refused("not valid for 127.0.0.1"),
        ),
        shown("the name that the site says", of(&["shop.test"]), up()).with(called("shop.test")),
        shown("a wildcard", of(&["*.shop.test"]), up()).with(called("www.shop.test")),
        shown("a wildcard over two labels", of(&["*.shop.test"]), refused("not valid for"))
            .with(called("a.b.shop.test")),
        shown("a wildcard without a label", of(&["*.shop.test"]), refused("not valid for"))
            .with(called("shop.test")),
        shown("not the name that the site says", valid, refused("not valid for shop.test"))
            .with(called("shop.test")),
        Case::new("the name of the site is asked for", sni, up()).with(json!({
            "tls": {"server_name": "shop.test"}, "expect": {"body": {"contains": ["asked for shop.test"]}},
        })),
    ]
}

/// Answers with the name that the handshake asked for (SNI).
fn sni() -> Scene {
    let config = authority::config(AUTHORITY.leaf(&["shop.test"], VALID), rustls::ALL_VERSIONS, None);
    at_localhost(serve_with(config, |stream, _| {
        let asked = format!("asked for {}", stream.conn.server_name().unwrap_or("nobody"));
        send_and_close(stream, answer("200 OK", &asked).as_bytes());
    }))
}

/// `[site.tls] ca_file`.
fn listed() -> Vec<Case> {
    let pem = |pem: &str| json!({"tls": {"ca": pem}});
    let authority = Arc::new(Authority::new("the site's own authority"));
    let (ca, by) = (pem(&authority.pem()), Arc::clone(&authority));
    let both = pem(&format!("{}{}", AUTHORITY.pem(), authority.pem()));
    let by_site = move || by.leaf(&["localhost"], VALID);
    let mut rows = vec![
        shown("of the site's own authority", by_site.clone(), up()).with(ca.clone()),
        shown("of one of several authorities", by_site, up()).with(both),
        shown("of everybody's authority, which is not the site's", valid, refused("unknown issuer")).with(ca),
    ];
    let row = |name: &str, identity: Identity, want: Want| {
        let (settings, identity) = (pem(&identity.pem()), Arc::new(identity));
        shown(name, move || identity.duplicate(), want).with(settings)
    };
    rows.extend([
        row("listed byte for byte, signed by itself", own(), up()),
        row("listed byte for byte, of a stranger", stranger(), up()),
        row("listed byte for byte, an authority's own", Identity::self_signed(&["localhost"], true), up()),
        row(
            "listed, for another name",
            Identity::self_signed(&["shop.test"], false),
            refused("not valid for localhost"),
        ),
        row(
            "listed, expired",
            AUTHORITY.leaf(&["localhost"], ENDED),
            refused("the certificate expired on 2003-04-05"),
        ),
        row(
            "listed, not yet valid",
            AUTHORITY.leaf(&["localhost"], TO_COME),
            refused("not valid before 2080-01-01"),
        ),
        shown("another than the listed one", own, refused("not signed by its issuer"))
            .with(pem(&own().pem())),
    ]);
    rows
}

fn anything_goes() -> Vec<Case> {
    let accepting = |name: &str, show: fn() -> Identity| {
        shown(name, show, up().bytes(5)).with(json!({"tls": {"accept_invalid": true}}))
    };
    vec![
        accepting("accept_invalid: expired", || AUTHORITY.leaf(&["localhost"], ENDED)),
        accepting("accept_invalid: not yet valid", || AUTHORITY.leaf(&["localhost"], TO_COME)),
        accepting("accept_invalid: another name", || AUTHORITY.leaf(&["shop.test"], VALID)),
        accepting("accept_invalid: a stranger's", stranger),
        accepting("accept_invalid: signed by itself", own),
        accepting("accept_invalid: expires tomorrow", || AUTHORITY.leaf_for_days(1)),
    ]
}

fn warning(text: &str) -> Json {
    json!({"tls": {"expiry_warning": text}})
}

fn warned(tells: &str) -> Want {
    degraded(Reason::Tls).tells("certificate of localhost").tells(tells)
}

fn warnings() -> Vec<Case> {
    let days = |days| move || AUTHORITY.leaf_for_days(days);
    let invalid = json!({"tls": {"accept_invalid": true, "expiry_warning": "14d"}});
    let old_root = || {
        let mut identity = valid();
        identity.chain.push(AUTHORITY.intermediate("long gone", ENDED).der());
        identity
    };
    vec![
        shown("expires in 10 days", days(10), warned("sooner than 14d").tells("expires in 9 days")),
        shown("expires in 20 days", days(20), up()),
        shown("expires in 20 days, to be warned of 30 days ahead", days(20), warned("sooner than 30d"))
            .with(warning("30d")),
        shown("expires in 10 days, to be warned of 5 days ahead", days(10), up()).with(warning("5d")),
        shown("expires in 10 days, and nobody wants to know", days(10), up()).with(warning("0s")),
        shown("expires in 10 days, accepted but warned of", days(10), warned("sooner than 14d"))
            .with(invalid.clone()),
        shown("expired, accepted but warned of", || AUTHORITY.leaf(&["localhost"], ENDED), warned("expired"))
            .with(invalid),
        shown("an intermediate that expires soon", expiring_intermediate, warned("sooner than 14d")),
        shown("an expired certificate in the chain that nobody needs", old_root, up()),
        Case::new(
            "expires soon, and not found",
            || {
                let config = authority::config(AUTHORITY.leaf_for_days(3), rustls::ALL_VERSIONS, None);
                at_localhost(serve_with(config, |stream, _| {
                    send_and_close(stream, answer("404 Not Found", "").as_bytes())
                }))
            },
            down(Reason::Status).tells("404 Not Found").tells("sooner than 14d"),
        ),
    ]
}

fn expiring_intermediate() -> Identity {
    use chrono::Datelike as _;
    let soon = (uptime_monitor::clock::Clock::system().now() + chrono::TimeDelta::days(5)).date_naive();
    through((LONG_AGO, (soon.year(), soon.month() as u8, soon.day() as u8)))
}

/// A server with `first` that redirects to one with `last`.
fn redirecting(first: Identity, last: Identity) -> Scene {
    let last = serve(last);
    let moved = redirect(&format!("https://127.0.0.1:{}/", last.port()));
    let config = authority::config(first, rustls::ALL_VERSIONS, None);
    let first = serve_with(config, move |stream, _| send_and_close(stream, moved.as_bytes()));
    let mut scene = at_localhost(first);
    scene.servers.push(last);
    scene
}

/// Certificates of hops that nobody sees in a browser.
fn hidden() -> Vec<Case> {
    let at_address = |validity| AUTHORITY.leaf(&["127.0.0.1"], validity);
    vec![
        Case::new("two hops that are good", move || redirecting(valid(), at_address(VALID)), up()),
        Case::new(
            "expires soon, behind a redirect",
            move || redirecting(AUTHORITY.leaf_for_days(10), at_address(VALID)),
            warned("sooner than 14d"),
        )
        .also(|outcome, _| assert!(outcome.hops.iter().all(|hop| hop.certificate.is_some()))),
        Case::new(
            "expired, at the second hop",
            move || redirecting(valid(), at_address(ENDED)),
            refused("expired").http(302),
        )
        .also(|outcome, _| assert_eq!(outcome.redirects, 1)),
        Case::new(
            "a stranger's, at the first hop",
            move || redirecting(stranger(), at_address(VALID)),
            refused("unknown issuer"),
        ),
    ]
}
