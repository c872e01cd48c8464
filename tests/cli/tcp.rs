//! Checks of connections without HTTP, from the command line to the server and back.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::Desk;

/// The URL of a server that answers PING with +PONG, and all else with an error.
fn redis() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            let tcp = tcp.unwrap();
            std::thread::spawn(move || {
                let (mut line, mut lines) = (String::new(), BufReader::new(&tcp));
                while lines.read_line(&mut line).is_ok_and(|length| length > 0) {
                    let answer: &[u8] = if line == "PING\r\n" { b"+PONG\r\n" } else { b"-ERR\r\n" };
                    let _ = (&tcp).write_all(answer);
                    line.clear();
                }
            });
        }
    });
    url
}

#[test]
fn a_check_sends_what_it_is_told_and_tells_what_it_found() {
    let (desk, url) = (Desk::new(), redis());

    let told = desk.run(&["check", &url, "--send", r"PING\r\n", "--expect-body", "+PONG"]).fine();

    let address = url.trim_start_matches("tcp://");
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], format!("UP {url}"));
    assert!(lines.contains(&"  ✓ answer contains \"+PONG\"  \"+PONG\""), "{told}");
    assert!(lines.contains(&format!("  connected   to {address}").as_str()), "{told}");
    assert!(lines.contains(&"  size        7 bytes of answer"), "{told}");
    for phase in ["connect ", "wait ", "download "] {
        assert!(lines.iter().any(|line| line.trim_start().starts_with(phase)), "{phase}: {told}");
    }
    for nonsense in ["tls", "HTTP", "none from", "heads", "status"] {
        assert!(!told.contains(nonsense), "{nonsense}: {told}");
    }
}

#[test]
fn a_result_has_the_form_of_every_result() {
    let (desk, url) = (Desk::new(), redis());
    let flags = ["--send", "GET\r\n", "--expect-body", "+PONG", "--timeout", "300ms", "--retries", "0"];

    let done = desk.run(&[&["check", &url, "--json"], &flags[..]].concat());

    assert_eq!((done.code, done.err.as_str(), done.out.lines().count()), (1, "", 1), "{done:?}");
    let result: Value = serde_json::from_str(&done.out).unwrap();
    let told = [&result["v"], &result["url"], &result["status"], &result["reason"], &result["http_status"]];
    assert_eq!(json!(told), json!([1, url, "down", "timeout", null]));
    let told =
        [&result["evidence"]["body"], &result["final_url"], &result["redirects"], &result["body_bytes"]];
    assert_eq!(json!(told), json!(["-ERR\r\n", url, 0, 6]));
    let schema = include_str!("../../docs/result.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert!(jsonschema::is_valid(&schema, &result), "{result}");
}

#[test]
fn a_site_is_added_shown_changed_and_checked_as_it_was_said() {
    let (desk, url) = (Desk::new(), redis());
    let checked = || desk.say("check --site redis --json").code;
    let add = ["sites", "add", &url, "--name", "redis", "--retries", "0", "--timeout", "500ms"];
    desk.run(&[&add[..], &["--send", r"PING\r\n", "--expect-body", "+PONG", "--ip", "v4"]].concat()).fine();
    assert_eq!(checked(), 0);

    let shown = desk.say("sites show redis").fine();
    assert!(shown.contains("\nsend       \"***\"\n"), "{shown}");
    assert!(shown.contains("expect.body {\"contains\":[\"+PONG\"]}"), "{shown}");
    desk.run(&["sites", "set", "redis", "--send", r"GET\r\n"]).fine();
    assert_eq!(checked(), 1);
    desk.say("sites set redis --reset send --reset expect --degraded-after 400ms").fine();
    assert_eq!(checked(), 0);
    let site = desk.say("sites show redis --json").json();
    assert_eq!(
        json!([site["send"], site["expect"]]),
        json!([null, {"response_time": {"degraded": "400ms"}}])
    );
}

#[test]
fn a_site_keeps_what_it_says_through_an_export() {
    let (desk, url) = (Desk::new(), redis());
    desk.run(&["sites", "add", &url, "--name", "redis", "--send", r"PING\r\n", "--expect-body", "+PONG"])
        .fine();
    for format in ["toml", "json"] {
        let exported = desk.say(&format!("sites export --format {format}")).fine();
        let (other, file) = (Desk::new(), format!("sites.{format}"));
        other.write(&file, &exported);

        other.say(&format!("sites import {file}")).fine();

        assert_eq!(other.say("check --site redis --json").code, 0, "{exported}");
        assert_eq!(other.say(&format!("sites export --format {format}")).fine(), exported);
    }
}

#[test]
fn a_site_becomes_one_of_another_kind_only_where_its_settings_fit() {
    let desk = Desk::new();
    let set = |flags: &[&str]| desk.run(&[&["sites", "set", "shop"], flags].concat());
    desk.say(
        "sites add https://shop.example/ --name shop --method POST --expect-status 204 --expect-body ok",
    )
    .fine();

    let refused = set(&["--url", "tcp://shop.example:6379"]).refused(2);
    for part in
        ["request.method: is for http and https", "--reset method", "expect.status", "--reset expect-status"]
    {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    set(&["--url", "tcp://shop.example:6379", "--reset", "request", "--reset", "expect-status"]).fine();
    assert_eq!(desk.say("sites show shop --json").json()["expect"], json!({"body": {"contains": ["ok"]}}));

    set(&["--send", "PING"]).fine();
    let refused = set(&["--url", "https://shop.example/"]).refused(2);
    assert!(refused.contains("send: is for tcp and tls") && refused.contains("--reset send"), "{refused}");
    set(&["--url", "https://shop.example/", "--reset", "send"]).fine();
    assert_eq!(desk.say("sites show shop --json").json().get("send"), None);
}

#[test]
fn what_stood_for_a_variable_in_what_is_sent_stays_hidden_as_long_as_it_is_sent() {
    let desk = Desk::new();
    let site = r#"[{"name": "redis", "url": "tcp://a.example:1", "send": "AUTH ${REDIS}", "request": {"ip": "v4"}}]"#;
    let import = ["sites", "import", "-", "--format", "json"];
    desk.run_with(&import, &[("REDIS", "t0ps3cret")], site).fine();
    let request = || desk.say("sites export --format json").json()[0]["request"].clone();

    desk.say("sites set redis --reset request").fine();
    assert_eq!(request(), json!({"hide": ["t0ps3cret"]}));

    desk.say("sites set redis --reset request --reset send").fine();
    assert_eq!(request(), json!(null));
}

#[test]
fn flags_that_make_no_sense_are_refused_before_anything_is_asked() {
    let desk = Desk::new();
    for (arguments, says) in [
        (&["check", "tcp://a.example:1", "--method", "GET"][..], "request.method: is for http and https"),
        (&["check", "tcp://a.example:1", "-k"], "tls: stands beside a URL with tcp"),
        (&["check", "https://a.example/", "--send", "x"], "send: is for tcp and tls"),
        (&["check", "tcp://a.example:1", "--send", r"AUTH t0ps3cret\x"], "--send"),
        (&["check", "tcp://a.example"], "has no port"),
        (&["sites", "add", "tls://a.example:1/x"], "did you mean \"tls://a.example:1\"?"),
        (&["sites", "set", "a", "--send", "x", "--method", "POST"], "request.method: is for http and https"),
        (&["check", "--site", "a", "--send", "x"], "so --send cannot"),
    ] {
        let error = desk.run(arguments).refused(2);

        assert!(error.contains(says) && !error.contains("t0ps3cret"), "{arguments:?}: {error}");
    }
}

#[test]
fn a_site_of_the_file_and_a_row_of_csv_are_checked() {
    let (desk, url) = (Desk::new(), redis());
    let keys = "send = \"PING\\r\\n\"\nexpect = \"+PONG\"\n";
    desk.write("uptime.toml", &format!("[[site]]\nname = \"redis\"\nurl = \"{url}\"\n{keys}"));
    desk.write("sites.csv", &format!("name,url\nport,{url}\n"));

    assert_eq!(desk.say("check --site redis --json").json()["status"], json!("up"));
    desk.say("sites import sites.csv").fine();
    assert_eq!(desk.say("check --site port --json").json()["status"], json!("up"));
    assert!(desk.say("sites export --format csv").fine().contains(&format!("port,{url},1m")));
}
