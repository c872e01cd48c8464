//! No refusal shows a secret, wherever it was written, and nothing that is shown can be taken for one.

use std::path::Path;

use uptime_monitor::config::{Format, SiteDefaults, parse_sites};

use crate::{Setup, assert_says, problem};

const SECRET: &str = "hunter2";

#[track_caller]
fn assert_discreet(setup: &Setup) {
    let problems = setup.problems();
    assert!(!problems.iter().any(|problem| problem.contains(SECRET)), "{problems:#?}");
}

#[test]
fn a_secret_under_a_misspelt_key_or_one_table_off_is_not_told() {
    for text in [
        "[result_log.kafka]\npasswrd = \"hunter2\"",
        "[result_log]\npassword = \"hunter2\"",
        "password = \"hunter2\"",
        "[[site]]\nname = \"a\"\nurl = \"https://a/\"\nbearer_token = \"hunter2\"",
        "[[site]]\nname = \"a\"\nurl = \"https://a/\"\npassword = { is = \"hunter2\" }",
        "[[site]]\nname = \"a\"\nurl = \"https://a/\"\nheaders = [\"Authorization: hunter2\"]",
        "site = [\"hunter2\"]",
        "site = \"hunter2\"",
    ] {
        assert_discreet(&Setup::file(text));
    }
    for name in ["UPTIME__RESULT_LOG__KAFKA__PASSWRD", "UPTIME__PASSWORD", "UPTIME__DATABASE__PASSWORD"] {
        assert_discreet(&Setup::file("").env(name, SECRET));
    }
    assert_discreet(&Setup::file("").flag("result_log.kafka.passwrd", SECRET));
}

#[test]
fn a_secret_that_is_ill_formed_is_not_told() {
    for text in [
        "[result_log.kafka]\npassword = [\"hunter2\"]",
        "[result_log.kafka]\npassword = \"hunter2\"\npassword_file = \"p\"",
        "[result_log.kafka]\npassword_file = \"p\"\npassword = \"hunter2\"",
        "[result_log.kafka]\npassword = \"hunter2${\"",
        "[result_log.kafka]\npassword = \"x${hunter2-}\"",
        "[result_log.kafka]\nbrokers = [\"u:hunter2@kafka\"]",
        "[database]\nurl = \"postgres:/u:hunter2@db/x\"",
        "[[site]]\nname = \"a\"\nurl = \"https://hunter2@a/\"",
        "[[site]]\nname = \"a\"\nurl = \"https://a /?token=hunter2\"",
        "[[site]]\nname = \"a\"\nurl = \"//hunter2@a/\"",
        "[database]\nurl = \"host=h user=u password=hunter2 dbname=d\"",
        "[database]\nurl = \"PASSWORD=hunter2;Server=h\"",
    ] {
        assert_discreet(&Setup::file(text));
    }
    assert_discreet(&Setup::file("").env("UPTIME__DATABASE__URL", "host=h password='hunter2'"));
    assert_says(&problem("[result_log.kafka]\npassword = 123456"), &["password: is a bare number"]);
}

#[test]
fn a_secret_in_the_place_of_something_else_is_not_told() {
    for keys in [
        "request.basic_auth = { username = \"u:hunter2\", password = \"p\" }",
        "tls.ca = \"hunter2 -----BEGIN PRIVATE KEY-----\"",
        "tls = { client_cert = \"hunter2\", client_key = \"k\" }",
        "tls.client_cert = \"-----BEGIN PRIVATE KEY-----hunter2\"",
    ] {
        assert_discreet(&Setup::file(&format!("[[site]]\nname = \"a\"\nurl = \"https://a/\"\n{keys}")));
    }
}

#[test]
fn a_secret_in_a_line_that_is_no_toml_is_not_told() {
    for line in [
        "password = \"hunter2",
        "password = hunter2",
        "password = 'hunter2",
        "password = \"\"\"\nhunter2",
        "password = \"hunter2\" x",
        "password = hunter2 hunter2",
        "password \"hunter2\"",
        "password: hunter2",
        "password = \"a\\qhunter2\"",
        "password = { is = hunter2 }",
        "hunter2",
        "hunter2=",
        "\"hunter2\" = \"a\" \"b\"",
        "[hunter2",
        "username = \"a\" = \"hunter2\"",
    ] {
        assert_discreet(&Setup::file(&format!("[result_log.kafka]\n{line}\n")));
        assert_discreet(&Setup::file(&format!("[[site]]\nname = \"a\"\nurl = \"https://a/\"\n{line}\n")));
    }
}

#[test]
fn a_secret_in_an_import_that_is_none_is_not_told() {
    let told = |text: &str, format| {
        let defaults = SiteDefaults::of(&Setup::file("").config().checker);
        match parse_sites(text.as_bytes(), format, Path::new("sites"), &defaults, &[]) {
            Ok(import) => format!("{:?}", import.rejected),
            Err(problems) => problems.to_string(),
        }
    };
    for (text, format) in [
        ("[\"https://u:hunter2@a/\"]", Format::Json),
        ("[{\"name\":\"a\",\"url\":\"https://a/\",\"token\":\"hunter2\"}]", Format::Json),
        ("\"hunter2\"", Format::Json),
        ("{\"site\":\"hunter2\"}", Format::Json),
        ("{\"site\":[\"hunter2\"]}", Format::Json),
        ("shop,https://a/?token=hunter2,1m\n", Format::Csv),
        ("name,url,token\na,https://a/,hunter2\n", Format::Csv),
        ("[[site]]\nname = \"a\"\nurl = \"https://a/\"\ntoken = \"hunter2\"\n", Format::Toml),
        ("[[site]]\nname = \"a\"\nbearer_token = \"hunter2", Format::Toml),
    ] {
        let told = told(text, format);
        assert!(!told.is_empty() && !told.contains(SECRET), "{told}");
    }
}

#[test]
fn what_is_shown_instead_of_a_secret_is_refused_as_one() {
    for text in [
        "[result_log.kafka]\npassword = \"***\"",
        "[database]\nurl = \"postgres://u:***@db/x\"",
        "[[site]]\nname = \"a\"\nurl = \"https://a/?token=***\"",
        "[[site]]\nname = \"a\"\nurl = \"https://a/\"\nrequest.bearer_token = \"***\"",
        "[[site]]\nname = \"a\"\nurl = \"https://a/\"\nrequest.basic_auth = { username = \"u\", password = \"***\" }",
        "[[site]]\nname = \"a\"\nurl = \"https://a/\"\nrequest.headers = { x-api-key = \"***\" }",
        "[[site]]\nname = \"a\"\nurl = \"https://a/\"\nrequest.method = \"POST\"\nrequest.body = \"***\"",
    ] {
        assert_says(&problem(text), &["holds ***, which is shown instead of a secret", "sites export"]);
    }
}

#[test]
fn what_is_shown_instead_of_a_secret_is_refused_from_a_file_of_its_own_too() {
    for keys in [
        "request.bearer_token_file = \"secret\"",
        "request.basic_auth = { username = \"u\", password_file = \"secret\" }",
        "request.method = \"POST\"\nrequest.body_file = \"secret\"",
        "tls.ca_file = \"secret\"",
    ] {
        let setup = Setup::file(&format!("[[site]]\nname = \"a\"\nurl = \"https://a/\"\n{keys}"));
        assert_says(&setup.beside("secret", "***").problem(), &["holds ***, which is shown"]);
    }
    let setup = Setup::file("[result_log.kafka]\npassword_file = \"secret\"").beside("secret", "***\n");
    assert_says(&setup.problem(), &["holds ***, which is shown"]);
}

#[test]
fn a_secret_may_hold_stars() {
    Setup::file("[database]\nurl = \"postgres://u:ab***cd@db/x\"").config();
    let config = Setup::file("[result_log.kafka]\npassword = \"ab***cd\"").config();

    assert_eq!(config.result_log.kafka.password, "ab***cd");
}

#[test]
fn what_a_reference_stands_for_in_a_header_is_hidden_wherever_it_stands() {
    let setup = Setup::file(
        "[[site]]\nname = \"a\"\nurl = \"https://a/\"\nexpect.body.contains = [\"your t0ps3cret\"]\n\
         request.headers = { X-Foo = \"Foo ${TOK}\", X-Short = \"${SHORT}\", User-Agent = \"${AGENT}\" }",
    );
    let setup = setup.env("TOK", "t0ps3cret").env("SHORT", "abc").env("AGENT", "agent/1.0");

    let site = setup.load().unwrap().sites.remove(0);

    let shown = site.without_secrets().settings.unwrap();
    assert_eq!(site.settings.unwrap().request.hide, ["t0ps3cret"]);
    assert_eq!(shown.request.headers["X-Foo"], "Foo ***");
    assert_eq!(
        [&shown.request.headers["X-Short"], &shown.request.headers["User-Agent"]],
        ["abc", "agent/1.0"]
    );
    assert_eq!(shown.expect.body.contains, ["your ***"]);
}

#[test]
fn what_a_reference_stands_for_in_a_url_is_hidden_behind_the_host() {
    let setup = Setup::file("[[site]]\nname = \"a\"\nurl = \"https://${HOST}:${PORT}/${HOOK}/x?q=${Q}\"")
        .env("HOST", "hooks.example")
        .env("PORT", "8443")
        .env("HOOK", "T00/B00")
        .env("Q", "abcd");

    let site = setup.load().unwrap().sites.remove(0);

    assert_eq!(site.url, "https://hooks.example:8443/T00/B00/x?q=abcd");
    assert_eq!(site.shown_url(), "https://hooks.example:8443/***/x?q=***");
    assert_eq!(site.settings.unwrap().request.hide, ["T00/B00", "abcd"]);
}

#[test]
fn texts_to_hide_can_be_written_and_are_long_enough_to_be_hidden() {
    let file = |hide: &str| {
        Setup::file(&format!("[[site]]\nname = \"a\"\nurl = \"https://a/T00/x\"\nrequest.hide = {hide}"))
    };

    assert_eq!(file("[\"T00/x\"]").load().unwrap().sites[0].shown_url(), "https://a/***");
    assert_says(&file("[\"T00\"]").problem(), &["request.hide[0] = \"***\"", "fewer than 4 characters"]);
}
