//! `[site.request]`, `[site.tls]` and `[site.expect]`: what is read, what is refused, and that secrets stay secret.

use std::path::Path;
use std::time::Duration;

use rcgen::{CertifiedKey, KeyPair};
use serde_json::json;
use uptime_monitor::config::{
    Format, Origin, RawSite, Setting, SiteDefaults, SiteFields, Value, parse_sites, write_sites,
};
use uptime_monitor::model::SiteSpec;
use uptime_monitor::model::settings::{
    CheckSettings, HttpVersion, IpFamily, StatusRange, TlsPolicy, TlsVersion,
};

use crate::{Setup, assert_says};

const DEFAULTS: SiteDefaults =
    SiteDefaults { timeout: Duration::from_secs(10), body_limit: 1 << 20, name_from_url: false };

fn file(keys: &str) -> Setup {
    let url = if keys.contains("url =") { "" } else { "url = \"https://a.example\"\n" };
    Setup::file(&format!("[[site]]\nname = \"a\"\n{url}{keys}"))
}

fn read(setup: &Setup) -> SiteSpec {
    let loaded = setup.load().unwrap_or_else(|problems| panic!("{problems}"));
    loaded.sites.into_iter().next().unwrap()
}

fn settings(keys: &str) -> CheckSettings {
    *read(&file(keys)).settings.expect("settings")
}

/// Each of these keys is refused alone, in words that hold all of these parts.
#[track_caller]
fn refused(cases: &[(&str, &[&str])]) {
    for (keys, parts) in cases {
        let setup = file(keys);
        let problems = setup.load().err().unwrap_or_else(|| panic!("{keys}: should be refused"));
        assert_eq!(problems.len(), 1, "{keys}: {problems}");
        assert_says(&problems.to_string(), parts);
    }
}

#[track_caller]
fn accepted(cases: &[&str]) {
    for keys in cases {
        read(&file(keys));
    }
}

fn identity() -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    (cert.pem(), signing_key.serialize_pem())
}

#[test]
fn every_key_can_be_said() {
    let settings = settings(
        r#"
        [site.request]
        method = "POST"
        headers = { accept = "application/json", X-Tenant = "7" }
        body = "{}"
        basic_auth = { username = "u", password = "p:q" }
        max_redirects = 3
        ip = "v4"
        [site.tls]
        server_name = "shop.internal"
        min_version = "1.3"
        accept_invalid = true
        expiry_warning = "14d"
        [site.expect]
        status = ["2xx", 304, "400-404"]
        headers = [{ name = "content-type", matches = "json" }, { name = "server", absent = true }]
        body = { contains = ["ok"], not_contains = "error", matches = ['^\{'], max_bytes = "1KiB" }
        json = [{ path = "$.status", equals = "UP" }, { path = "$.age", le = 3.5 }, { path = "$.x", length = 2 }]
        response_time = { degraded = "1s", down = "5s" }
        http_version = ["HTTP/1.1"]
        tls = "required"
        "#,
    );

    let CheckSettings { request, tls, expect, tcp } = &settings;
    assert_eq!(*tcp, None);
    assert_eq!((request.method.as_str(), request.body.as_deref()), ("POST", Some("{}")));
    assert_eq!(request.headers["X-Tenant"], "7");
    assert_eq!(request.basic_auth.as_ref().map(|auth| auth.password.as_str()), Some("p:q"));
    assert_eq!((request.max_redirects, request.ip), (Some(3), IpFamily::V4));
    assert_eq!(
        (tls.server_name.as_deref(), tls.min_version),
        (Some("shop.internal"), Some(TlsVersion::V1_3))
    );
    assert_eq!((tls.accept_invalid, tls.expiry_warning), (true, Some(Duration::from_hours(14 * 24))));
    let range = |from, to| StatusRange { from, to };
    assert_eq!(expect.status, [range(200, 299), range(304, 304), range(400, 404)]);
    assert_eq!((expect.headers.len(), expect.headers[1].absent), (2, true));
    assert_eq!(
        (&expect.body.not_contains[..], expect.body.max_bytes),
        (&["error".to_owned()][..], Some(1024))
    );
    assert_eq!(expect.json[0].equals, Some(json!("UP")));
    assert_eq!(
        (expect.json[1].le.clone(), expect.json[2].length),
        (serde_json::Number::from_f64(3.5), Some(2))
    );
    assert_eq!(expect.response_time.down, Some(Duration::from_secs(5)));
    assert_eq!((&expect.http_version[..], expect.tls), (&[HttpVersion::V1_1][..], Some(TlsPolicy::Required)));
}

#[test]
fn what_is_at_its_default_is_left_out() {
    for keys in [
        "request = {}",
        "tls = {}\nexpect = {}",
        "[site.request]\nmethod = \"GET\"\nbody = \"\"\nip = \"any\"",
    ] {
        assert_eq!(read(&file(keys)).settings, None, "{keys}");
    }
}

#[test]
fn one_value_counts_as_a_list_of_one() {
    let settings = settings(
        "[site.expect]\nstatus = 204\njson = { path = \"$.a\", exists = false }\nhttp_version = \"HTTP/2\"",
    );

    assert_eq!(settings.expect.status, [StatusRange { from: 204, to: 204 }]);
    assert_eq!(settings.expect.json[0].exists, Some(false));
    assert_eq!(settings.expect.http_version, [HttpVersion::V2]);
}

#[test]
fn json_values_of_every_kind_can_be_expected() {
    let value = |toml: &str| {
        settings(&format!("expect.json = [{{ path = \"$.a\", equals = {toml} }}]")).expect.json[0]
            .equals
            .clone()
    };

    assert_eq!(value("true"), Some(json!(true)));
    assert_eq!(value("1"), Some(json!(1)));
    assert_eq!(value("1.5"), Some(json!(1.5)));
    assert_eq!(value("[1, { b = \"c\" }]"), Some(json!([1, { "b": "c" }])));
    assert_eq!(value("[nan, { b = nan }]"), Some(json!([null, { "b": null }])));
    assert_eq!(settings("expect.json = { path = \"$.a\", equals = nan }").expect.json[0].is_null, Some(true));
    assert_eq!(
        settings("expect.json = { path = \"$.a\", not_equals = nan }").expect.json[0].is_null,
        Some(false)
    );
}

#[test]
fn unknown_keys_and_wrong_types_are_told_without_what_they_hold() {
    refused(&[
        (
            "request.metod = \"GET\"",
            &["site \"a\": request.metod: unknown key", "did you mean request.method?"],
        ),
        (
            "request.basic_auth = { user = \"hunter2\", username = \"u\" }",
            &["request.basic_auth.user: unknown key"],
        ),
        (
            "expect.json = [{ path = \"$.a\" }, { path = \"$.b\", equal = 1 }]",
            &["expect.json[1].equal: unknown", "did you mean expect.json[1].equals?"],
        ),
        ("tls.colour = 1", &["tls.colour: unknown key", "tls has ca, ca_file"]),
        ("request = \"hunter2\"", &["site \"a\": request: is a string, not a table", "request = { … }"]),
        ("request.basic_auth = \"u:hunter2\"", &["request.basic_auth: is a string, not a table"]),
        ("expect.headers = [\"json\"]", &["expect.headers[0]: is a string, not a table"]),
        (
            "request.headers = { age = 3 }",
            &["request.headers.age = \"***\"", "is a bare number, not a string"],
        ),
        ("request.follow_redirects = \"no\"", &["true or false, without quotes"]),
        ("tls.min_version = 1.2", &["tls.min_version = 1.2", "not a string"]),
        ("expect.body = { contains = [1] }", &["expect.body.contains[0] = 1", "not a string"]),
    ]);
    let told = file("request.basic_auth = { username = \"u\", pasword = \"hunter2\" }").problem();
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn bad_requests_are_refused() {
    refused(&[
        ("request.method = \"get\"", &["request.method = \"get\"", "did you mean \"GET\"?"]),
        ("request.method = \"TRACE\"", &["choose from GET, HEAD, POST"]),
        ("request.headers = { \"a b\" = \"x\" }", &["request.headers.\"a b\"", "no name of a header"]),
        ("request.headers = { \"\" = \"x\" }", &["no name of a header"]),
        ("request.headers = { Content-Length = \"3\" }", &["a check does by itself", "remove it"]),
        ("request.headers = { transfer-encoding = \"chunked\" }", &["by itself"]),
        ("request.headers = { x = \"a\\r\\nb: c\" }", &["request.headers.x", "control character"]),
        (
            "request.headers = { Accept = \"a\", accept = \"b\" }",
            &["is the same header as Accept", "keep one"],
        ),
        ("request = { method = \"HEAD\", body = \"x\" }", &["request.body", "goes with no HEAD request"]),
        ("request.basic_auth = { password = \"x\" }", &["request.basic_auth.username: is missing"]),
        ("request.basic_auth = { username = \"a:b\" }", &["basic_auth.username", "colon"]),
        ("request.bearer_token = \"\"", &["request.bearer_token", "is empty"]),
        ("request.bearer_token = \"Bearer hunter2\"", &["request.bearer_token = \"***\"", "the token alone"]),
        (
            "request = { bearer_token = \"t\", basic_auth = { username = \"u\" } }",
            &["request.bearer_token", "beside basic_auth"],
        ),
        (
            "request = { bearer_token = \"t\", headers = { Authorization = \"x\" } }",
            &["request.headers.Authorization = \"***\"", "beside basic_auth or bearer_token"],
        ),
        ("request.max_redirects = 51", &["is more than 50", "0 to 50"]),
        ("request = { follow_redirects = false, max_redirects = 3 }", &["beside follow_redirects = false"]),
        ("request.ip = \"ipv4\"", &["request.ip", "any, v4, v6"]),
        ("url = \"http://127.0.0.1/\"\nrequest.ip = \"v6\"", &["request.ip = \"v6\"", "an IPv4 address"]),
    ]);
    accepted(&[
        "request = { method = \"GET\", body = \"{}\" }",
        "request.headers = { host = \"b.example\", x = \"a\\tb\" }",
    ]);
}

#[test]
fn bad_tls_settings_are_refused() {
    refused(&[
        ("tls.ca = \"hello\"", &["tls.ca = \"***\"", "it holds no certificate", "BEGIN CERTIFICATE"]),
        ("tls.ca_file = \"missing.pem\"", &["tls.ca_file = \"missing.pem\"", "cannot read the file"]),
        ("tls.server_name = \"a b\"", &["tls.server_name", "is no server's name"]),
        ("tls.min_version = \"1.1\"", &["choose from \"1.2\", \"1.3\""]),
        ("tls.expiry_warning = \"-1d\"", &["tls.expiry_warning", "is no duration"]),
        ("tls.expiry_warning = \"4000d\"", &["is more than 366d"]),
        ("tls.expiry_warning = 14", &["add a unit"]),
    ]);
    accepted(&["tls.expiry_warning = \"0s\"", "tls.server_name = \"127.0.0.1\""]);
}

#[test]
fn certificates_and_keys_have_to_go_together() {
    let (cert, key) = identity();
    let other_key = KeyPair::generate().unwrap().serialize_pem();
    let beside = |keys: &str| {
        file(keys)
            .beside("c.pem", &cert)
            .beside("k.pem", &key)
            .beside("other.pem", &other_key)
            .beside("e.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    };
    let problem = |keys: &str| beside(keys).problem();

    let good = read(&beside("tls = { client_cert_file = \"c.pem\", client_key_file = \"k.pem\" }"))
        .settings
        .unwrap();
    assert_eq!(good.tls.client_cert.as_deref(), Some(cert.trim_end()));
    assert_says(
        &problem("tls.client_cert_file = \"c.pem\""),
        &["tls.client_cert_file = \"c.pem\"", "without client_key", "add client_key or client_key_file"],
    );
    assert_says(&problem("tls.client_key_file = \"k.pem\""), &["tls.client_key_file", "without client_cert"]);
    assert_says(
        &problem("tls = { client_cert_file = \"c.pem\", client_key_file = \"other.pem\" }"),
        &["tls.client_key_file", "another certificate's"],
    );
    assert_says(
        &problem("tls = { client_cert_file = \"c.pem\", client_key_file = \"e.pem\" }"),
        &["client_key_file", "encrypted", "passphrase"],
    );
    assert_says(
        &problem("tls = { client_cert_file = \"k.pem\", client_key_file = \"k.pem\" }"),
        &["client_cert_file", "no certificate"],
    );
    assert_says(
        &problem("tls = { ca_file = \"c.pem\", accept_invalid = true }"),
        &["tls.ca_file", "beside accept_invalid"],
    );
    assert_says(&problem("tls = { ca_file = \"c.pem\", ca = \"x\" }"), &["tls.ca_file", "stands beside ca"]);
}

#[test]
fn bad_expectations_are_refused() {
    refused(&[
        ("expect.status = [\"2xx\", \"ok\"]", &["expect.status[1] = \"ok\"", "is no status", "200-299"]),
        ("expect.status = 99", &["expect.status = 99", "is no status"]),
        ("expect.status = [299.5]", &["expect.status[0]", "not a string"]),
        ("expect.headers = [{ equals = \"x\" }]", &["expect.headers[0].name: is missing"]),
        ("expect.headers = [{ name = \"a:\" }]", &["no name of a header"]),
        (
            "expect.headers = [{ name = \"a\", matches = \"(\" }]",
            &["expect.headers[0].matches = \"(\"", "regular expression", "unclosed group"],
        ),
        (
            "expect.headers = [{ name = \"a\", equals = \"x\", contains = \"y\" }]",
            &["expect.headers[0].contains", "stands beside equals", "a condition for each"],
        ),
        (
            "expect.headers = [{ name = \"a\", absent = true, equals = \"y\" }]",
            &["headers[0].absent", "beside equals"],
        ),
        (
            "expect.headers = [{ name = \"a\", absent = true, allow_missing = true }]",
            &["allow_missing", "beside absent"],
        ),
        ("expect.headers = [{ name = \"a\", allow_missing = true }]", &["nothing that could fail"]),
        ("expect.headers = [{ name = \"a\", contains = \"\" }]", &["is empty"]),
        ("expect.body = { not_contains = [\"\"] }", &["expect.body.not_contains[0]", "is empty"]),
        ("expect.body = { matches = \"[\" }", &["expect.body.matches", "regular expression"]),
        ("expect.body = { max_bytes = 0 }", &["is less than 1"]),
        (
            "expect.body = { max_bytes = \"2MiB\" }",
            &["more than checker.body_limit", "raise checker.body_limit"],
        ),
    ]);
}

#[test]
fn bad_conditions_on_json_times_and_transport_are_refused() {
    refused(&[
        ("expect.json = [{ equals = 1 }]", &["expect.json[0].path: is missing"]),
        (
            "expect.json = [{ path = \"status\" }]",
            &["expect.json[0].path = \"status\"", "is no JSON path", "$.status"],
        ),
        (
            "expect.json = [{ path = \"$.a\", gt = 1, lt = 5 }]",
            &["expect.json[0].lt = 5", "stands beside gt", "a condition for each"],
        ),
        ("expect.json = [{ path = \"$.a\", ge = \"1\" }]", &["not a number", "without quotes"]),
        ("expect.json = [{ path = \"$.a\", gt = nan }]", &["expect.json[0].gt", "JSON does not have"]),
        (
            "expect.json = [{ path = \"$.a\", equals = [inf] }]",
            &["expect.json[0].equals", "JSON does not have"],
        ),
        ("expect.json = [{ path = \"$.a\", equals = 9223372036854775808 }]", &["more than 64 bits"]),
        ("expect.json = [{ path = \"$.a\", equals = 2026-01-01 }]", &["has a date", "in quotes"]),
        ("expect.json = [{ path = \"$.a\", length = -1 }]", &["is less than 0"]),
        (
            "expect.response_time = { degraded = \"5s\", down = \"5s\" }",
            &["response_time.down", "not longer than degraded"],
        ),
        (
            "expect.response_time.down = \"10s\"",
            &["expect.response_time.down = \"10s\"", "not shorter than timeout = \"10s\""],
        ),
        ("expect.response_time.degraded = 3", &["add a unit"]),
        ("expect.http_version = \"HTTP/3\"", &["comes later", "HTTP/1.1 and HTTP/2"]),
        ("expect.http_version = \"h2\"", &["is called otherwise", "write \"HTTP/2\""]),
        ("expect.http_version = \"1.1\"", &["HTTP/1.0, HTTP/1.1, HTTP/2"]),
        ("expect.tls = \"require\"", &["did you mean \"required\"?"]),
        ("url = \"http://a\"\nexpect.tls = \"required\"", &["beside a URL with http", "write https"]),
        ("expect.tls = \"forbidden\"", &["beside a URL with https"]),
        (
            "request.method = \"HEAD\"\nexpect.json = { path = \"$.a\" }",
            &["expect.json", "no answer to HEAD has"],
        ),
        (
            "request.method = \"HEAD\"\nexpect.body.contains = \"a\"",
            &["expect.body", "no answer to HEAD has"],
        ),
    ]);
}

#[test]
fn max_bytes_may_be_as_large_as_what_is_read() {
    let file = |limit: &str| {
        Setup::file(&format!(
            "[checker]\nbody_limit = \"{limit}\"\n[[site]]\nname = \"a\"\nurl = \"http://a\"\nexpect.body.max_bytes = 2048"
        ))
    };

    assert!(file("2KiB").load().is_ok());
    assert_says(&file("1KiB").problem(), &["1024 bytes"]);
}

#[test]
fn ten_problems_are_told_in_one_go_each_with_its_own_line() {
    let setup = file(
        "timeout = \"5s\"\n[site.request]\nmethod = \"FETCH\"\nmax_redirects = 99\nip = 4\n[site.request.headers]\nte = \"x\"\n\
         [site.tls]\nmin_version = \"1.0\"\n[site.expect]\nstatus = [\n  200,\n  20,\n]\ntls = \"no\"\n\
         [[site.expect.json]]\npath = \"$.\"\n[[site.expect.json]]\npath = \"$.a\"\nmatches = \"(\"\n[site.expect.response_time]\ndown = \"6s\"\n",
    );

    let lines: Vec<String> =
        setup.problems().iter().map(|it| it.split(": ").next().unwrap().to_owned()).collect();

    let expected = [6, 7, 8, 10, 12, 16, 18, 20, 23, 25].map(|line| format!("uptime.toml:{line}"));
    assert_eq!(lines, expected, "{:#?}", setup.problems());
}

#[test]
fn variables_and_files_fill_in_nested_values_and_are_never_shown() {
    let text = "[site.request]\nheaders = { x-key = \"k-${KEY}\" }\nbody_file = \"body.json\"\nmax_redirects = \"${HOPS}\"\n\
                basic_auth = { username = \"${USER}\", password_file = \"secret\" }";
    let setup = file(text)
        .env("KEY", "k1")
        .env("HOPS", "3")
        .env("USER", "u")
        .beside("secret", "p1\n")
        .beside("body.json", "{\"a\":1}\n");

    let request = read(&setup).settings.unwrap().request;
    let auth = request.basic_auth.unwrap();

    assert_eq!((request.headers["x-key"].as_str(), request.max_redirects), ("k-k1", Some(3)));
    assert_eq!((auth.username.as_str(), auth.password.as_str()), ("u", "p1"));
    assert_eq!(request.body.as_deref(), Some("{\"a\":1}\n"), "a body is sent as it stands in the file");
}

#[test]
fn a_body_from_a_file_keeps_every_byte() {
    let binary: Vec<u8> = (0..=255).collect();
    for content in [
        &b"{\"index\":{}}\n{\"a\":1}\n"[..],
        b"cpu value=1\r\n\r\n",
        b" \t",
        b"\xef\xbb\xbfa",
        b"\x1f\x8b\x08\0\xff\n",
        &binary,
    ] {
        let setup = file("request = { method = \"POST\", body_file = \"body\" }").beside("body", content);

        let spec = read(&setup);
        let request = &spec.settings.as_ref().unwrap().request;

        assert_eq!(request.body_bytes(), content, "{content:?}");
        let text = spec.settings_text().unwrap();
        assert_eq!(serde_json::from_str::<CheckSettings>(&text).unwrap(), **spec.settings.as_ref().unwrap());
        for format in [Format::Toml, Format::Json] {
            let mut exported = Vec::new();
            write_sites(&[spec.clone().into()], format, &mut exported).unwrap();
            let exported = String::from_utf8(exported).unwrap();
            let back = parse_sites(exported.as_bytes(), format, Path::new("export"), &DEFAULTS, &[]).unwrap();
            assert_eq!(back.sites[0].spec, spec, "{exported}");
        }
        assert_eq!(RawSite::from_spec(&spec, Origin::Default).validate(&DEFAULTS).unwrap(), spec);
    }
}

#[test]
fn a_secret_from_a_file_loses_one_line_break_and_no_more() {
    for (content, password) in [("p1\n", "p1"), ("p1\r\n", "p1"), ("p1", "p1"), (" p1 ", " p1 ")] {
        let auth = "request.basic_auth = { username = \"u\", password_file = \"secret\" }";

        let spec = read(&file(auth).beside("secret", content));

        assert_eq!(spec.settings.unwrap().request.basic_auth.unwrap().password, password);
    }
    let two_lines = file("request.bearer_token_file = \"secret\"").beside("secret", "t0ken\n\n");
    assert_says(&two_lines.problem(), &["request.bearer_token", "has a space or another character"]);
}

#[test]
fn a_body_that_is_no_text_is_written_in_base64() {
    let request = settings("request = { method = \"POST\", body_base64 = \"H4sIAP8=\" }").request;
    let as_text = settings("request = { method = \"POST\", body_base64 = \"aGVsbG8=\" }").request;

    assert_eq!((request.body_bytes(), &request.body), (&b"\x1f\x8b\x08\0\xff"[..], &None));
    assert_eq!((as_text.body.as_deref(), &as_text.body_base64), (Some("hello"), &None));
    refused(&[
        ("request.body_base64 = \"*\"", &["request.body_base64 = \"***\"", "is not base64"]),
        (
            "request = { body = \"a\", body_base64 = \"YQ==\" }",
            &["request.body_base64", "stands beside body"],
        ),
        (
            "request = { method = \"HEAD\", body_base64 = \"YQ==\" }",
            &["request.body_base64", "goes with no HEAD"],
        ),
    ]);
    let large = file("request.body_file = \"body\"").beside("body", vec![0xff; (1 << 20) + 1]);
    assert_says(&large.problem(), &["request.body_file = \"body\"", "is longer than 1MiB"]);
    let shown =
        SiteFields::from(&read(&file("request.body_base64 = \"H4sIAP8=\""))).settings.unwrap().to_text();
    assert_eq!(shown, r#"{"request":{"body":"***"}}"#);
}

#[test]
fn a_variable_that_is_not_set_is_told_with_its_path() {
    let problem = file("request.basic_auth = { username = \"u\", password = \"${NOPE}\" }").problem();

    assert_says(
        &problem,
        &["uptime.toml:4: site \"a\": request.basic_auth.password: ", "variable NOPE is not set"],
    );
}

#[test]
fn a_secret_from_elsewhere_is_in_no_problem() {
    let secret = "hunter2 geheim\n";
    for keys in [
        "request.bearer_token = \"${SECRET}\"",
        "request.headers.x = \"${SECRET}\"",
        "request.bearer_token_file = \"secret\"",
        "request.method = \"${SECRET}\"",
        "request.max_redirects = \"${SECRET}\"",
        "request.basic_auth = { username = \"${SECRET}:\" }",
        "tls.ca = \"${SECRET}\"",
        "tls.expiry_warning = \"${SECRET}\"",
        "tls.server_name = \"${SECRET}\"",
        "expect.status = [\"${SECRET}\"]",
        "expect.json = [{ path = \"${SECRET}\" }]",
        "expect.body.matches = [\"(${SECRET}\"]",
        "expect.http_version = \"${SECRET}\"",
    ] {
        let setup = file(keys).env("SECRET", secret).beside("secret", "hunter2 geheim");
        let problem = setup.problem();
        assert!(!problem.contains("hunter2") && !problem.contains("geheim"), "{problem}");
    }
}

#[test]
fn a_number_of_more_than_64_bits_from_elsewhere_is_refused_as_in_the_file() {
    for number in ["99999999999999999999", "18446744073709551615", "-9223372036854775809"] {
        let problem = file("expect.json = [{ path = \"$.a\", gt = \"${N}\" }]").env("N", number).problem();
        assert_says(&problem, &["expect.json[0].gt", "more than 64 bits"]);
    }
}

#[test]
fn what_flags_say_is_read_like_a_file_and_blamed_on_the_flag() {
    let mut raw = RawSite::new(Origin::Flag("check".into()));
    raw.url = Some(Setting::from_flag("URL", "https://a.example"));
    let table: toml::Table =
        "method = \"POST\"\nmax_redirects = \"3\"\nfollow_redirects = \"true\"".parse().unwrap();
    raw.request = Some(Setting::new(Value::Typed(table.into()), Origin::Flag("--method".into())));
    let good = raw.clone().validate(&DEFAULTS.naming_from_url()).unwrap();
    let table: toml::Table = "method = \"POTS\"".parse().unwrap();
    raw.request = Some(Setting::new(Value::Typed(table.into()), Origin::Flag("--method".into())));
    let bad = raw.validate(&DEFAULTS.naming_from_url()).unwrap_err();

    assert_eq!(good.settings.unwrap().request.max_redirects, Some(3));
    assert_says(
        &bad[0].to_string(),
        &["command line (--method): site: request.method = \"POTS\"", "did you mean \"POST\"?"],
    );
}

const WITH_SECRETS: &str = "[site.request]\nmethod = \"POST\"\nheaders = { X-Api-Key = \"k1\", accept = \"text/plain\" }\nbody = \"k2\"\n\
    basic_auth = { username = \"u\", password = \"k3\" }\n[site.tls]\nexpiry_warning = \"14d\"\n[site.expect]\nstatus = 201\n";

#[test]
fn a_site_that_is_shown_hides_its_secrets_and_an_export_keeps_them() {
    let spec = read(&file(WITH_SECRETS));

    let shown = serde_json::to_value(SiteFields::from(&spec)).unwrap();
    let mut exported = Vec::new();
    write_sites(&[spec.into()], Format::Toml, &mut exported).unwrap();

    let expected = json!({
        "method": "POST", "headers": { "X-Api-Key": "***", "accept": "text/plain" }, "body": "***",
        "basic_auth": { "username": "u", "password": "***" },
    });
    assert_eq!((&shown["request"], &shown["expect"]), (&expected, &json!({ "status": [201] })));
    assert_eq!(shown["tls"], json!({ "expiry_warning": "14d" }));
    assert_says(&String::from_utf8(exported).unwrap(), &["k1", "k2", "k3"]);
}

#[test]
fn a_site_with_settings_can_be_changed_and_validated_again() {
    let before = read(&file(WITH_SECRETS));

    let after = RawSite::from_spec(&before, Origin::Default).validate(&DEFAULTS).unwrap();

    assert_eq!(after, before);
}
