//! Certificates that hold, certificates that do not, and what is known of them either way.

use uptime_monitor::model::{Certificate, Reason};
use uptime_monitor::probe::Outcome;

use crate::authority::{Authority, FAR_OFF, LONG_AGO, day, serve};
use crate::server::Server;
use crate::{assert_down, assert_up, no_deadline, open_config, probe_trusting, target};

async fn check(authority: &Authority, url: String) -> Outcome {
    probe_trusting(&open_config(), authority).check(&target(url), no_deadline()).await
}

fn url(server: &Server) -> String {
    format!("https://localhost:{}/", server.port())
}

#[actix_rt::test]
async fn a_valid_certificate_is_up_and_its_facts_are_kept() {
    let authority = Authority::new("the authority");
    let server = serve(authority.leaf(&["localhost"], (LONG_AGO, FAR_OFF)));

    let outcome = check(&authority, url(&server)).await;

    assert_up(&outcome);
    assert_eq!(outcome.body_bytes, 5);
    assert!(outcome.timings.tls_us.is_some());
    let fingerprint = outcome.certificate.as_ref().unwrap().fingerprint.clone();
    assert_eq!(fingerprint.len(), 64);
    let expected = Certificate {
        not_before: day(LONG_AGO),
        not_after: day(FAR_OFF),
        subject: "CN=the leaf".to_owned(),
        issuer: "CN=the authority".to_owned(),
        chain_not_after: day(FAR_OFF),
        names: vec!["localhost".to_owned()],
        fingerprint,
    };
    assert_eq!(outcome.certificate, Some(expected));
}

#[actix_rt::test]
async fn the_earliest_expiry_of_the_chain_is_kept() {
    let authority = Authority::new("the authority");
    let soon = (2080, 1, 2);
    let between = authority.intermediate("in between", (LONG_AGO, soon));
    let mut identity = between.leaf(&["localhost"], (LONG_AGO, FAR_OFF));
    identity.chain.push(between.der());
    let server = serve(identity);

    let certificate = check(&authority, url(&server)).await.certificate.unwrap();

    assert_eq!((certificate.not_after, certificate.chain_not_after), (day(FAR_OFF), day(soon)));
    assert_eq!(certificate.issuer, "CN=in between");
}

#[actix_rt::test]
async fn a_certificate_that_does_not_hold_is_down_and_its_facts_are_kept_all_the_same() {
    let authority = Authority::new("the authority");
    let stranger = Authority::new("a stranger");
    let valid = (LONG_AGO, FAR_OFF);
    let cases = [
        (authority.leaf(&["localhost"], (LONG_AGO, (2003, 4, 5))), "the certificate expired on 2003-04-05"),
        (
            authority.leaf(&["localhost"], ((2080, 1, 1), FAR_OFF)),
            "the certificate is not valid before 2080-01-01",
        ),
        (
            authority.leaf(&["shop.test", "www.shop.test"], valid),
            "not valid for localhost, but for shop.test, www.shop.test",
        ),
        (stranger.leaf(&["localhost"], valid), "unknown issuer"),
    ];
    for (identity, what) in cases {
        let server = serve(identity);

        let outcome = check(&authority, url(&server)).await;

        assert_down(&outcome, Reason::Tls, what);
        assert_eq!(outcome.certificate.expect(what).subject, "CN=the leaf");
        assert_eq!(outcome.http_status, None);
        assert_eq!(outcome.remote_addr, Some(server.addr));
    }
}

#[actix_rt::test]
async fn every_check_sees_the_certificate_because_no_session_is_resumed() {
    let authority = Authority::new("the authority");
    let server = serve(authority.leaf(&["localhost"], (LONG_AGO, FAR_OFF)));
    let probe = probe_trusting(&open_config(), &authority);

    for _ in 0..3 {
        let outcome = probe.check(&target(url(&server)), no_deadline()).await;
        assert!(outcome.certificate.is_some());
    }
}
