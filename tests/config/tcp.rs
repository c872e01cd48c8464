//! Sites with a URL of `tcp` or `tls`: what they can say, what they cannot, and how it is kept.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use uptime_monitor::config::{Format, Origin, RawSite, SiteDefaults, SiteFields, parse_sites, write_sites};
use uptime_monitor::model::settings::{CheckSettings, IpFamily, TlsVersion};
use uptime_monitor::model::{Declared, Kind, SiteSpec};

use crate::{Setup, assert_says, problem};

const DEFAULTS: SiteDefaults =
    SiteDefaults { timeout: Duration::from_secs(10), body_limit: 1 << 20, name_from_url: false };

fn text(url: &str, keys: &str) -> String {
    format!("[[site]]\nname = \"a\"\nurl = \"{url}\"\n{keys}")
}

fn read(url: &str, keys: &str) -> SiteSpec {
    let loaded = Setup::file(&text(url, keys)).load().unwrap_or_else(|problems| panic!("{problems}"));
    loaded.sites.into_iter().next().unwrap()
}

fn settings(url: &str, keys: &str) -> CheckSettings {
    *read(url, keys).settings.expect("settings")
}

#[test]
fn a_url_needs_nothing_beside_it_and_says_which_kind_it_is() {
    for url in ["tcp://a.example:6379", "TLS://a.example:993", "tcp://192.0.2.7:22", "tls://[2001:db8::7]:1"]
    {
        let spec = read(url, "");

        assert_eq!((spec.url.as_str(), spec.retries), (url, 1));
        assert_eq!(spec.settings, Some(Box::new(CheckSettings::of_kind(Kind::Tcp))));
        assert_eq!(spec.settings_text().as_deref(), Some(r#"{"tcp":{}}"#));
    }
    assert_eq!(read("https://a.example", "").settings, None);
}

#[test]
fn what_is_sent_and_expected_can_be_said_in_a_line_each() {
    let settings = settings("tcp://redis.example:6379", "send = \"PING\\r\\n\"\nexpect = \"+PONG\"");

    assert_eq!(settings.tcp.as_ref().unwrap().send.as_deref(), Some("PING\r\n"));
    assert_eq!(settings.expect.body.contains, ["+PONG"]);
    let stored = r#"{"expect":{"body":{"contains":["+PONG"]}},"tcp":{"send":"PING\r\n"}}"#;
    assert_eq!(settings.to_text(), stored);
}

#[test]
fn every_key_that_makes_sense_can_be_said() {
    let settings = settings(
        "tls://mail.example:993",
        r#"
        send = "a LOGOUT\r\n"
        [site.request]
        ip = "v6"
        hide = ["t0ps3cret"]
        [site.tls]
        server_name = "mail.internal"
        min_version = "1.3"
        accept_invalid = true
        expiry_warning = "30d"
        [site.expect]
        body = { contains = ["* OK"], not_contains = ["* BYE"], matches = ['^\*'], not_matches = ["x"], max_bytes = "1KiB" }
        response_time = { degraded = "1s", down = "5s" }
        "#,
    );

    let CheckSettings { request, tls, expect, .. } = settings;
    assert_eq!((request.ip, request.hide), (IpFamily::V6, vec!["t0ps3cret".to_owned()]));
    assert_eq!(
        (tls.server_name.as_deref(), tls.min_version),
        (Some("mail.internal"), Some(TlsVersion::V1_3))
    );
    assert_eq!(
        (expect.body.max_bytes, expect.response_time.down),
        (Some(1024), Some(Duration::from_secs(5)))
    );
}

#[test]
fn a_url_that_is_more_or_less_than_host_and_port_is_refused_with_a_remedy() {
    for (url, says) in [
        ("tcp://a.example", ["has no port", "\"tcp://a.example:6379\": there is no default"]),
        ("tcp://a.example:", ["has no port", "\"tcp://a.example:6379\""]),
        ("tls://[2001:db8::7]", ["has no port", "\"tls://[2001:db8::7]:6379\""]),
        ("tcp://a.example:0", ["has the port 0", "write the server's port"]),
        ("tcp://a.example:65536", ["is no valid URL", "tcp://example.com:6379"]),
        ("tcp://a.example:6379/", ["has a path", "did you mean \"tcp://a.example:6379\"?"]),
        ("tcp://a.example:6379/0", ["has a path", "did you mean \"tcp://a.example:6379\"?"]),
        ("tcp://a.example:6379?a=b", ["has a query", "did you mean \"tcp://a.example:6379\"?"]),
        ("tcp://a.example:6379#a", ["has a fragment", "did you mean \"tcp://a.example:6379\"?"]),
        ("tcp://u:t0ps3cret@a.example:1", ["has credentials", "goes into send"]),
        ("tcp:///a", ["has no host", "tcp://example.com:6379"]),
        ("tcp://:1", ["is no valid URL", "tcp://example.com:6379"]),
        ("tcp://a..b:1", ["has a host that is none", "tcp://example.com:6379"]),
        ("udp://a.example:1", ["has the scheme \"udp\"", "only http, https, tcp and tls"]),
    ] {
        let problem = problem(&text(url, ""));

        assert_says(&problem, &says);
        assert!(problem.starts_with("uptime.toml:3: site \"a\": url = "), "{problem}");
        assert!(!problem.contains("t0ps3cret"), "{problem}");
    }
}

#[test]
fn what_only_http_has_is_refused_and_none_of_it_is_shown() {
    for (keys, key, flag) in [
        ("request.method = \"GET\"", "request.method", "--reset method"),
        ("request.headers = { Authorization = \"t0ps3cret\" }", "request.headers", "--reset header"),
        ("request.body = \"t0ps3cret\"", "request.body", "--reset body"),
        ("request.bearer_token = \"t0ps3cret\"", "request.bearer_token", "--reset bearer-token"),
        ("request.basic_auth = { username = \"t0ps3cret\" }", "request.basic_auth", "--reset basic-auth"),
        ("request.follow_redirects = true", "request.follow_redirects", "--reset no-follow"),
        ("request.max_redirects = 3", "request.max_redirects", "--reset max-redirects"),
        ("expect.status = 200", "expect.status", "--reset expect-status"),
        ("expect.headers = { name = \"a\" }", "expect.headers", "--reset expect-header"),
        ("expect.json = { path = \"$.a\" }", "expect.json", "--reset expect-json"),
        ("expect.http_version = \"HTTP/1.1\"", "expect.http_version", "--reset expect-http-version"),
        ("expect.tls = \"required\"", "expect.tls", "--reset expect-tls"),
    ] {
        let problem = problem(&text("tls://a.example:1", keys));

        assert_says(&problem, &[&format!("site \"a\": {key}: is for http and https"), "remove it", flag]);
        assert!(!problem.contains("t0ps3cret"), "{problem}");
    }
}

#[test]
fn what_cannot_be_sent_or_expected_is_refused() {
    let long = format!("send = \"{}\"", "x".repeat(65_537));
    for (url, keys, says) in [
        ("tcp://a:1", "send = \"\"", &["send: is empty", "remove it"][..]),
        ("tcp://a:1", "send = \"***\"", &["send: holds ***"]),
        ("tcp://a:1", "send = 7", &["send: is a bare number, not a string"]),
        ("tcp://a:1", long.as_str(), &["send: has 65537 bytes, more than 64KiB"]),
        ("tcp://a:1", "expect = \"\"", &["expect = \"\": is empty, which is found in every text"]),
        ("tcp://a:1", "expect = [\"a\"]", &["expect: is a list, not a table"]),
        ("tcp://a:1", "expect.body.contain = \"a\"", &["did you mean expect.body.contains?"]),
        ("tcp://a:1", "tls.accept_invalid = true", &["tls: stands beside a URL with tcp", "write tls://"]),
        ("tcp://192.0.2.1:1", "request.ip = \"v6\"", &["stands beside a URL with an IPv4 address"]),
        ("https://a", "send = \"t0ps3cret\"", &["send: is for tcp and tls", "request.body", "--reset send"]),
        ("https://a", "expect = \"a\"", &["expect: is a string, not a table"]),
    ] {
        let problem = problem(&text(url, keys));

        assert_says(&problem, says);
        assert!(!problem.contains("t0ps3cret"), "{problem}");
    }
}

#[test]
fn a_url_that_is_wrong_itself_is_the_only_problem() {
    let problem = problem(&text("tcp://redis.example", "send = \"PING\"\nexpect = \"+PONG\""));

    assert_says(&problem, &["has no port"]);
}

#[test]
fn variables_are_meant_in_both_and_what_they_stand_for_is_hidden() {
    let keys = "send = \"AUTH ${REDIS}\\r\\n\"\nexpect = \"${OK}\"";
    let setup = Setup::file(&text("tcp://a.example:1", keys)).env("REDIS", "t0ps3cret").env("OK", "+OK");

    let loaded = setup.load().unwrap();

    let settings = loaded.sites[0].settings.as_ref().unwrap();
    assert_eq!(settings.tcp.as_ref().unwrap().send.as_deref(), Some("AUTH t0ps3cret\r\n"));
    assert_eq!(settings.expect.body.contains, ["+OK"]);
    assert_eq!(settings.request.hide, ["t0ps3cret"]);
    let missing = problem(&text("tcp://a.example:1", "send = \"AUTH t0ps3cret ${NONE}\""));
    assert_says(&missing, &["send: environment variable NONE is not set"]);
    assert!(!missing.contains("t0ps3cret"), "{missing}");
}

/// A site with everything, and one with nothing.
fn sites() -> Vec<Declared> {
    let full = "send = \"a ${b} \\u0000\\t\\\"ö\\r\\n\"\nexpect = { body = { contains = [\"+PONG\", \"x\\r\\n\"] }, response_time = { down = \"5s\" } }
        tls = { server_name = \"b\" }\nrequest = { ip = \"v4\" }";
    let full = text("tls://a.example:1", &full.replace("${b}", "$${b}"));
    let plain = text("tcp://a.example:1", "").replace("\"a\"", "\"b\"");
    let loaded =
        Setup::file(&format!("{full}\n{plain}")).load().unwrap_or_else(|problems| panic!("{problems}"));
    loaded.sites.into_iter().map(Declared::from).collect()
}

fn written(sites: &[Declared], format: Format) -> String {
    let mut bytes = Vec::new();
    write_sites(sites, format, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn an_export_reads_back_identically() {
    let sites = sites();
    for format in [Format::Toml, Format::Json] {
        let text = written(&sites, format);

        let read = parse_sites(text.as_bytes(), format, Path::new("x"), &DEFAULTS, &[]).unwrap();

        assert_eq!((&read.rejected, &read.sites), (&vec![], &sites), "{text}");
    }
    let plain = written(&sites[1..], Format::Csv);
    let read = parse_sites(plain.as_bytes(), Format::Csv, Path::new("x"), &DEFAULTS, &[]).unwrap();
    assert_eq!(read.sites, sites[1..]);
    let lost = write_sites(&sites, Format::Csv, &mut Vec::new()).unwrap_err();
    assert_says(&lost.to_string(), &["no columns for send", "1 of these sites", "\"a\""]);
}

#[test]
fn csv_has_no_column_for_what_is_sent() {
    let text = "name,url,send\na,tcp://a.example:1,PING\n";

    let problems = parse_sites(text.as_bytes(), Format::Csv, Path::new("x"), &DEFAULTS, &[]).unwrap_err();

    assert_says(&problems.to_string(), &["column \"send\"", "CSV cannot hold", "TOML or JSON"]);
}

#[test]
fn a_site_that_is_shown_hides_what_it_sends() {
    let shown = json!(SiteFields::from(&sites()[0].spec));

    assert_eq!(shown["send"], json!("***"));
    assert_eq!(shown["expect"]["body"]["contains"], json!(["+PONG", "x\r\n"]));
    assert_eq!(shown.get("tcp"), None);
    assert_eq!(json!(SiteFields::from(&sites()[1].spec)).get("send"), None);
}

#[test]
fn a_site_can_be_changed_and_validated_again() {
    for site in sites() {
        let again = RawSite::from_spec(&site.spec, Origin::Default).validate(&DEFAULTS);

        assert_eq!(again, Ok(site.spec));
    }
}

#[test]
fn settings_that_nobody_knows_are_still_refused() {
    for stored in [r#"{"tcp":{"receive":"x"}}"#, r#"{"udp":{}}"#] {
        assert!(serde_json::from_str::<CheckSettings>(stored).is_err(), "{stored}");
    }
    let stored = r#"{"request":{"method":"POST","body":"x"},"expect":{"status":[204]}}"#;
    let settings: CheckSettings = serde_json::from_str(stored).unwrap();
    assert_eq!(settings.to_text(), stored);
}
