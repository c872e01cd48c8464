//! Certificates that will not hold for long: rows of the topic "certificates".

use serde_json::{Value as Json, json};
use uptime_monitor::model::Reason;

use crate::authority::{self, Identity, LONG_AGO, day_from_now, send_and_close, serve_with};
use crate::server::answer;
use crate::table::{AUTHORITY, Case, Want, degraded, down, up};
use crate::trust::{ENDED, at_localhost, shown, through, valid};

fn warning(text: &str) -> Json {
    json!({"tls": {"expiry_warning": text}})
}

pub(crate) fn warned(tells: &str) -> Want {
    degraded(Reason::Tls).tells("certificate of localhost").tells(tells)
}

pub(crate) fn warnings() -> Vec<Case> {
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
        shown(
            "an intermediate that expires soon",
            expiring_intermediate,
            warned("sooner than 14d").tells("depends on that of CN=in between, which expires in 4 days"),
        ),
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
    through((LONG_AGO, day_from_now(5)))
}

/// Without a wish of the site's, a third of a certificate's life is enough, and never more than 14 days.
pub(crate) fn lives() -> Vec<Case> {
    let life = |from, to| move || AUTHORITY.leaf_from_to(from, to);
    let intermediate = |from, to| move || through((day_from_now(from), day_from_now(to)));
    vec![
        shown("6 days, 3 of them left", life(-3, 3), up()),
        shown("6 days, the last one begun", life(-5, 1), warned("sooner than 2d")),
        shown("30 days, 12 of them left", life(-18, 12), up()),
        shown("30 days, 9 of them left", life(-21, 9), warned("sooner than 10d")),
        shown("47 days, 20 of them left", life(-27, 20), up()),
        shown("47 days, 13 of them left", life(-34, 13), warned("sooner than 14d")),
        shown("90 days, 13 of them left", life(-77, 13), warned("sooner than 14d")),
        shown("6 days, 3 of them left, to be warned of 5 days ahead", life(-3, 3), warned("sooner than 5d"))
            .with(warning("5d")),
        shown("an issuer of 9 days, 5 of them left", intermediate(-4, 5), up()),
        shown(
            "an issuer of 9 days, 2 of them left",
            intermediate(-7, 2),
            warned("depends on that of CN=in between"),
        ),
        shown("the port is told", life(-5, 1), degraded(Reason::Tls)).also(|outcome, scene| {
            let error = outcome.error.as_deref().unwrap();
            let port = scene.servers[0].port();
            assert!(error.contains(&format!("certificate of localhost:{port} expires in 0 days")), "{error}");
        }),
    ]
}
