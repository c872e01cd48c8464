//! Which certificates hold, which do not, and which will not for long.

use std::sync::Arc;

use rcgen::CustomExtension;
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use serde_json::json;
use uptime_monitor::model::Reason;

use crate::authority::{
    self, Authority, Day, FAR_OFF, Identity, LONG_AGO, VALID, day_from_now, send_and_close, serve, serve_with,
};
use crate::expiry::{lives, warned, warnings};
use crate::odd_names::{alternative_names, odd_names};
use crate::server::{Server, answer, redirect};
use crate::signers::{self, Signature};
use crate::table::{AUTHORITY, Case, Scene, Want, down, run, up};

#[actix_rt::test]
async fn every_case() {
    run("certificates", cases()).await;
}

pub(crate) fn cases() -> Vec<Case> {
    [chains(), odd_chains(), names(), odd_names(), listed(), anything_goes(), warnings(), lives(), hidden()]
        .into_iter()
        .flatten()
        .collect()
}

pub(crate) const ENDED: (Day, Day) = (LONG_AGO, (2003, 4, 5));
const TO_COME: (Day, Day) = ((2080, 1, 1), FAR_OFF);

/// `server` at the name that its certificate is for.
pub(crate) fn at_localhost(server: Server) -> Scene {
    Scene { url: format!("https://localhost:{}/", server.port()), servers: vec![server], held: None }
}

/// A server with the certificate that `show` makes. What it showed is kept, also when it was refused.
pub(crate) fn shown(name: &str, show: impl Fn() -> Identity + 'static, want: Want) -> Case {
    Case::new(name, move || at_localhost(serve(show())), want).also(|outcome, _| {
        let certificate = outcome.certificate.as_ref().expect("the certificate is kept");
        assert_eq!((certificate.subject.as_str(), certificate.fingerprint.len()), ("CN=the leaf", 64));
    })
}

pub(crate) fn refused(tells: &str) -> Want {
    down(Reason::Tls).tells(tells)
}

pub(crate) fn valid() -> Identity {
    AUTHORITY.leaf(&["localhost"], VALID)
}

fn stranger() -> Identity {
    Authority::new("a stranger").leaf(&["localhost"], VALID)
}

fn own() -> Identity {
    Identity::self_signed(&["localhost"], false)
}

pub(crate) fn through(validity: (Day, Day)) -> Identity {
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

/// Chains with more in them than a browser needs, or with other keys.
fn odd_chains() -> Vec<Case> {
    let pem = |name: &str, pem: &'static str, want: Want| {
        Case::new(name, move || at_localhost(signers::serve_pem(pem, rustls::ALL_VERSIONS)), want)
            .with(json!({"tls": {"ca": signers::AUTHORITY}}))
    };
    vec![
        shown("one through an authority on P-521", through_p521, up()),
        shown("nginx 1.22.1, haproxy 2.6.12 and others: a cross-signed root that nobody needs, and that ends tomorrow", cross_signed, up()).also(
            |outcome, _| {
                let certificate = outcome.certificate.as_ref().unwrap();
                assert_eq!(certificate.chain_not_after, certificate.not_after);
            },
        ),
        shown("an old and a new certificate of one issuer", || renewed_issuer(2), up()),
        shown(
            "an old certificate of an issuer that is still good, before the new one",
            || renewed_issuer(-2),
            up(),
        ),
        Case::new(
            "an RSA key of 1024 bits",
            || at_localhost(small_key()),
            refused("an RSA key of 1024 bits"),
        )
        .with(json!({"tls": {"ca": signers::AUTHORITY}})),
        pem(
            "signed with SHA-1",
            include_str!("certificates/sha1.pem"),
            refused("not verified: SHA-1 with ECDSA"),
        ),
        pem(
            "X.509 version 1",
            include_str!("certificates/version1.pem"),
            refused("an X.509 version before 3"),
        ),
        shown(
            "a critical extension that nobody knows",
            critical,
            refused("a critical extension that is not known"),
        ),
    ]
}

fn through_p521() -> Identity {
    let between = AUTHORITY.intermediate_with("in between", &rcgen::PKCS_ECDSA_P521_SHA512);
    let mut identity = between.leaf(&["localhost"], VALID);
    identity.chain.push(between.der());
    identity
}

/// As servers send a file with all that an authority gave: leaf, a root certified by an older one, intermediate.
fn cross_signed() -> Identity {
    let old = Authority::new("an old root");
    let mut identity = through(VALID);
    let cross = AUTHORITY.certified_by(&old, "the authority", (LONG_AGO, day_from_now(1)));
    identity.chain.insert(1, cross);
    identity
}

/// An issuer whose certificate that came first ended, or ends, so many days ago.
fn renewed_issuer(days_ago: i64) -> Identity {
    let between = AUTHORITY.intermediate("in between", VALID);
    let old = between.certified_by(&AUTHORITY, "in between", (LONG_AGO, day_from_now(-days_ago)));
    let mut identity = between.leaf(&["localhost"], VALID);
    identity.chain.extend([old, between.der()]);
    identity
}

fn small_key() -> Server {
    unverified(include_str!("certificates/rsa1024.pem"), SignatureScheme::RSA_PSS_SHA256)
}

fn critical() -> Identity {
    let mut odd = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    odd.set_criticality(true);
    AUTHORITY.leaf_saying(vec![odd, alternative_names(&[(0x82, b"localhost")])])
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
        accepting("accept_invalid: a critical extension that nobody knows", critical),
        accepting("accept_invalid: no name", || AUTHORITY.leaf_saying(Vec::new())),
        accepting("accept_invalid: names that are none", || {
            AUTHORITY.leaf_saying(vec![CustomExtension::from_oid_content(&[2, 5, 29, 17], b"\xff".to_vec())])
        }),
        accepting("accept_invalid: an authority's own", || Identity::self_signed(&["localhost"], true)),
        accepting("accept_invalid: an intermediate that has ended", || through(ENDED)),
        anyhow_served("accept_invalid: X.509 version 1", || {
            signers::serve_pem(include_str!("certificates/version1.pem"), rustls::ALL_VERSIONS)
        }),
        anyhow_served("accept_invalid: signed with SHA-1", || {
            signers::serve_pem(include_str!("certificates/sha1.pem"), rustls::ALL_VERSIONS)
        }),
        anyhow_served("accept_invalid: an RSA key of 1024 bits", small_key),
        anyhow_served("accept_invalid: a key on Ed448", || {
            unverified(include_str!("certificates/ed448.pem"), SignatureScheme::ED448)
        }),
        anyhow_served("accept_invalid: a key on one of Brainpool's curves", || {
            unverified(include_str!("certificates/brainpool.pem"), SignatureScheme::Unknown(0x081a))
        }),
        anyhow_served("accept_invalid: no certificate at all behind the words", || {
            let noise = vec![CertificateDer::from(vec![7; 40])];
            signers::serve_signing(noise, Signature::noise(SignatureScheme::ED25519), rustls::ALL_VERSIONS)
        }),
    ]
}

fn anyhow_served(name: &str, server: fn() -> Server) -> Case {
    Case::new(name, move || at_localhost(server()), up().bytes(5))
        .with(json!({"tls": {"accept_invalid": true}}))
}

/// Signed in a way that rustls cannot make either: no client that accepts anything looks at it.
fn unverified(pem: &str, said: SignatureScheme) -> Server {
    signers::serve_signing(signers::chain(pem), Signature::noise(said), rustls::ALL_VERSIONS)
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
