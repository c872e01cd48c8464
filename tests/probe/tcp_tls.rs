//! TLS without HTTP: certificates are judged and kept as they are for https.

use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value as Json, json};
use uptime_monitor::model::{Reason, Status};
use uptime_monitor::probe::Outcome;

use crate::authority::{Authority, FAR_OFF, Identity, LONG_AGO, VALID, config, day};
use crate::server::{LOOPBACK, Server};
use crate::tcp::site;
use crate::{assert_down, assert_up, no_deadline, open_config, probe_trusting};

/// Greets over TLS, and then listens.
fn greeting_with(config: Arc<ServerConfig>) -> Server {
    Server::raw(LOOPBACK, move |tcp, _| {
        tcp.set_nodelay(true).unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), tcp);
        if stream.write_all(b"* OK ready\r\n").and_then(|()| stream.flush()).is_ok() {
            let _ = stream.read_to_end(&mut Vec::new());
        }
    })
}

fn greeting(identity: Identity) -> Server {
    greeting_with(config(identity, rustls::ALL_VERSIONS, None))
}

async fn check(authority: &Authority, server: &Server, keys: Json) -> Outcome {
    let target = site(&format!("tls://localhost:{}", server.port()), keys);
    probe_trusting(&open_config(), authority).check(&target, no_deadline()).await
}

#[actix_rt::test]
async fn a_handshake_is_up_and_its_certificate_is_kept() {
    let authority = Authority::new("the authority");
    let server = greeting(authority.leaf(&["localhost"], VALID));

    for keys in [json!({}), json!({"expect": "* OK"}), json!({"tls": {"min_version": "1.3"}})] {
        let outcome = check(&authority, &server, keys).await;

        assert_up(&outcome);
        assert!(outcome.timings.tls_us.is_some());
        let certificate = outcome.certificate.unwrap();
        assert_eq!((certificate.subject.as_str(), certificate.not_after), ("CN=the leaf", day(FAR_OFF)));
    }
}

#[actix_rt::test]
async fn a_certificate_that_does_not_hold_is_down_and_kept_all_the_same() {
    let authority = Authority::new("the authority");
    for (identity, says) in [
        (authority.leaf(&["localhost"], (LONG_AGO, (2003, 4, 5))), "the certificate expired on 2003-04-05"),
        (authority.leaf(&["mail.test"], VALID), "not valid for localhost, but for mail.test"),
        (Identity::self_signed(&["localhost"], false), "self-signed"),
    ] {
        let server = greeting(identity);

        let refused = check(&authority, &server, json!({})).await;
        let accepted = check(&authority, &server, json!({"tls": {"accept_invalid": true}})).await;

        assert_down(&refused, Reason::Tls, says);
        assert_eq!(refused.certificate.expect(says).subject, "CN=the leaf");
        assert_up(&accepted);
    }
}

#[actix_rt::test]
async fn another_name_and_another_authority_can_be_said() {
    let (system, own) = (Authority::new("the system's"), Authority::new("our own"));
    let server = greeting(own.leaf(&["mail.internal"], VALID));
    let tls = json!({"tls": {"ca": own.pem(), "server_name": "mail.internal"}});

    assert_up(&check(&system, &server, tls).await);
    assert_down(&check(&system, &server, json!({})).await, Reason::Tls, "unknown issuer");
}

#[actix_rt::test]
async fn a_certificate_that_expires_soon_is_degraded() {
    let authority = Authority::new("the authority");
    let server = greeting(authority.leaf_for_days(5));

    let outcome = check(&authority, &server, json!({})).await;

    assert_eq!((outcome.status, outcome.reason), (Status::Degraded, Some(Reason::Tls)), "{outcome:#?}");
    let says = format!("certificate of localhost:{} expires in", server.port());
    assert!(outcome.error.as_deref().unwrap().contains(&says), "{outcome:#?}");
    assert_up(&check(&authority, &server, json!({"tls": {"expiry_warning": "0s"}})).await);
}

#[actix_rt::test]
async fn a_server_that_wants_a_client_certificate_gets_it_or_the_site_is_down() {
    let authority = Authority::new("the authority");
    let ours = authority.leaf(&["client.test"], VALID);
    let identity = json!({"tls": {"client_cert": ours.pem(), "client_key": ours.key_pem()}});
    for version in rustls::ALL_VERSIONS {
        let server =
            greeting_with(config(authority.leaf(&["localhost"], VALID), &[version], Some(&authority)));

        let without = check(&authority, &server, json!({})).await;
        let expecting = check(&authority, &server, json!({"expect": "* OK"})).await;
        let with = check(&authority, &server, identity.clone()).await;

        assert_down(&without, Reason::Tls, "client certificate");
        assert_down(&expecting, Reason::Tls, "client certificate");
        assert_up(&with);
    }
}

#[actix_rt::test]
async fn a_protocol_that_has_no_name_is_not_asked_for() {
    let authority = Authority::new("the authority");
    let mut strict =
        ServerConfig::clone(&config(authority.leaf(&["localhost"], VALID), rustls::ALL_VERSIONS, None));
    strict.alpn_protocols = vec![b"imap".to_vec()];
    let server = greeting_with(Arc::new(strict));

    assert_up(&check(&authority, &server, json!({"expect": "* OK"})).await);
}

#[actix_rt::test]
async fn a_server_without_tls_is_down() {
    let authority = Authority::new("the authority");
    let server = Server::raw(LOOPBACK, |mut tcp, _| {
        let _ = tcp.write_all(b"* OK ready\r\n");
        let _ = tcp.read_to_end(&mut Vec::new());
    });

    let outcome = check(&authority, &server, json!({"expect": "* OK"})).await;

    assert_down(&outcome, Reason::Tls, "does not speak TLS");
}
