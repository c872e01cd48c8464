//! `sites add, list, show, set, pause, resume, remove`.

use serde_json::json;

use crate::support::Desk;

#[test]
fn a_site_needs_nothing_but_a_url() {
    let desk = Desk::new();

    let told = desk.say("sites add https://shop.example/health").fine();

    assert!(
        told.starts_with("added shop.example/health (id 1): https://shop.example/health every 1m\n"),
        "{told}"
    );
    let site = desk.say("sites show shop.example/health --json").json();
    let phase = site["phase"].as_i64().unwrap();
    let expected = json!({"id": 1, "name": "shop.example/health", "url": "https://shop.example/health", "every": "1m",
        "timeout": "10s", "retries": 1, "enabled": true, "tags": [], "phase": phase, "status": null, "since": null,
        "freshness": "waiting", "last_updated": null, "origin": "command", "revision": 1});
    assert_eq!(site, expected);
    assert!((0..60).contains(&phase));
}

#[test]
fn show_tells_why_a_site_was_last_not_up() {
    let desk = Desk::with_sites(&["shop"]);
    desk.sql(
        r#"INSERT INTO ping_status (scheduled_at, site_id, status, reason, error, started_at_us, body_bytes, worker, attempt, evidence)
           SELECT first_slot, site_id, 'down', 'status', 'status 503, expected 2xx', 0, 5, 'w', 1,
                  '{"failed": ["status 503, expected 2xx"], "headers": [["server", "test"]], "body": "sorry"}'
           FROM site_schedule"#,
    );

    let told = desk.say("sites show shop").fine();
    let failure = desk.say("sites show shop --json").json()["last_failure"].clone();

    assert!(told.contains("\nlast failure\n"), "{told}");
    assert!(told.ends_with("  headers    server: test\n  body       sorry\n"), "{told}");
    let said = [&failure["status"], &failure["reason"], &failure["error"], &failure["evidence"]["body"]];
    assert_eq!(json!(said), json!(["down", "status", "status 503, expected 2xx", "sorry"]));
}

#[test]
fn a_site_can_be_described_in_full() {
    let desk = Desk::new();

    desk.say("sites add https://a.example/ --name a --every 30s --timeout 1500ms --retries 0 --tag x --tag y --disabled")
        .fine();

    let site = desk.say("sites show a --json").json();
    let told = [&site["every"], &site["timeout"], &site["retries"], &site["enabled"], &site["tags"]];
    assert_eq!(json!(told), json!(["30s", "1s500ms", 0, false, ["x", "y"]]));
}

#[test]
fn a_site_can_follow_the_calendar() {
    let desk = Desk::new();

    let told = desk
        .run(&[
            "sites",
            "add",
            "https://a.example/",
            "--schedule",
            "*/5 8-18 * * mon-fri",
            "--zone",
            "Europe/Berlin",
        ])
        .fine();

    assert!(
        told.starts_with(
            "added a.example (id 1): https://a.example/ at */5 8-18 * * mon-fri Europe/Berlin\n"
        ),
        "{told}"
    );
    let site = desk.say("sites show a.example --json").json();
    let told = [&site["every"], &site["schedule"], &site["zone"], &site["phase"], &site["timeout"]];
    assert_eq!(json!(told), json!([null, "*/5 8-18 * * mon-fri", "Europe/Berlin", null, "10s"]));
    assert!(desk.say("sites list").fine().contains("  */5 8-18 * * mon-fri Europe/Berlin  "));
    let shown = desk.say("sites show a.example").fine();
    assert!(shown.contains("\nschedule   */5 8-18 * * mon-fri Europe/Berlin\n"), "{shown}");
    assert!(!shown.contains("\nnext slot  -\n"), "{shown}");

    desk.say("sites set a.example --zone asia/tokyo").fine();
    desk.run(&["sites", "set", "a.example", "--schedule", "* * * * *"]).fine();
    let site = desk.say("sites show a.example --json").json();
    assert_eq!(json!([site["schedule"], site["zone"]]), json!(["* * * * *", "Asia/Tokyo"]));
    desk.say("sites set a.example --every 2m").fine();
    let site = desk.say("sites show a.example --json").json();
    assert_eq!(json!([site["every"], site["schedule"], site["zone"]]), json!(["2m", null, null]));
    desk.run(&["sites", "set", "a.example", "--schedule", "@daily"]).fine();
    desk.say("sites set a.example --reset schedule").fine();
    assert_eq!(desk.say("sites show a.example --json").json()["every"], "1m");
}

#[test]
fn a_schedule_that_tells_no_moments_is_wrong_usage() {
    let desk = Desk::with_sites(&["shop"]);

    let refused = |arguments: &[&str], parts: &[&str]| {
        let said = desk.run(arguments).refused(2);
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    };
    refused(&["sites", "set", "shop", "--schedule", "* * * *"], &["--schedule", "has 4 fields, not 5"]);
    refused(
        &["sites", "set", "shop", "--schedule", "@daily", "--zone", "Mars"],
        &["--zone", "is no time zone"],
    );
    refused(&["sites", "set", "shop", "--zone", "UTC"], &["zone", "stands without schedule"]);
    refused(
        &["sites", "add", "http://a/", "--schedule", "@daily", "--every", "1m"],
        &["--every", "cannot be used with"],
    );
}

#[test]
fn a_site_that_follows_the_calendar_moves_in_every_format() {
    let desk = Desk::with_sites(&["shop"]);
    desk.run(&["sites", "add", "https://a.example/", "--name", "a", "--schedule", "0 9 * * mon"]).fine();

    for format in ["csv", "toml", "json"] {
        let exported = desk.run(&["sites", "export", "--format", format]).fine();
        let other = Desk::new();
        std::fs::write(other.path(&format!("sites.{format}")), &exported).unwrap();
        other.say(&format!("sites import sites.{format}")).fine();
        let site = other.say("sites show a --json").json();
        assert_eq!(
            json!([site["every"], site["schedule"], site["zone"]]),
            json!([null, "0 9 * * mon", "UTC"]),
            "{exported}"
        );
    }
}

#[test]
fn retries_follow_the_method_until_somebody_says_them() {
    let desk = Desk::new();
    let retries = || desk.say("sites show a --json").json()["retries"].clone();

    desk.say("sites add https://a.example/ --name a --method POST").fine();
    assert_eq!(retries(), json!(0));
    desk.say("sites set a --method GET").fine();
    assert_eq!(retries(), json!(1));
    desk.say("sites set a --method PUT").fine();
    assert_eq!(retries(), json!(0));
    desk.say("sites set a --retries 2").fine();
    desk.say("sites set a --method DELETE").fine();
    assert_eq!(retries(), json!(2));
}

#[test]
fn everything_wrong_with_a_site_is_told_at_once_naming_the_flags() {
    let desk = Desk::new();

    let error = desk.say("sites add ftp://a.example/ --every 90 --retries many --tag a,b").refused(2);

    for flag in ["(URL)", "(--every)", "(--retries)", "(--tag)"] {
        assert!(error.contains(flag), "{flag}: {error}");
    }
}

#[test]
fn urls_of_any_length_and_control_characters_are_refused_in_few_words() {
    let desk = Desk::new();
    let long = format!("https://shop.example/{}", "a".repeat(100_000));

    let too_long = desk.run(&["sites", "add", &long]).refused(2);
    let control = desk.run(&["sites", "add", "https://shop.example/\u{1b}[31m"]).refused(2);
    let name = desk.run(&["sites", "add", "https://shop.example/", "--name", "a\nb\u{7}"]).refused(2);

    assert!(too_long.contains("more than 8192") && too_long.len() < 500, "{too_long}");
    for error in [control, name] {
        assert!(error.contains("control character"), "{error}");
        assert!(!error.contains(['\u{1b}', '\u{7}']) && error.lines().count() == 1, "{error:?}");
    }
}

#[test]
fn a_name_is_given_once_and_the_remedy_is_named() {
    let desk = Desk::with_sites(&["shop"]);

    let error = desk.say("sites add https://other.example/ --name shop").refused(2);

    assert!(error.contains("there is a site \"shop\" already"), "{error}");
    assert!(error.contains("--name") && error.contains("sites set"), "{error}");
}

#[test]
fn the_list_is_a_table_by_name_or_json() {
    let desk = Desk::with_sites(&["shop", "blog"]);
    desk.sql(
        "UPDATE sites SET last_status = 'down', since = 60, verdict_at = 60, freshness = 'missed', last_updated = 120 WHERE site_id = 1",
    );
    desk.say("sites pause blog").fine();

    let table = desk.say("sites list").fine();
    let json = desk.say("sites list --json").json();

    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["ID", "NAME", "STATUS", "SINCE", "EVERY", "TAGS", "URL"]);
    assert_eq!(rows[1], ["2", "blog", "paused", "-", "1m", "-", "https://blog.example/"]);
    assert_eq!(
        rows[2],
        ["1", "shop", "down,", "missed", "1970-01-01T00:01:00Z", "1m", "-", "https://shop.example/"]
    );
    assert_eq!(json[0]["enabled"], false);
    let shop = ["status", "since", "freshness", "last_updated"].map(|key| &json[1][key]);
    assert_eq!(json!(shop), json!(["down", "1970-01-01T00:01:00Z", "missed", "1970-01-01T00:02:00Z"]));
    assert_eq!(desk.say("sites list --json --status missed").json().as_array().unwrap().len(), 1);
}

#[test]
fn the_list_can_be_narrowed_by_tag_and_status() {
    let desk = Desk::with_sites(&["plain"]);
    desk.say("sites add https://a.example/ --name a --tag prod --tag eu").fine();
    desk.say("sites add https://b.example/ --name b --tag prod").fine();
    desk.sql("UPDATE sites SET last_status = 'up', since = 60, last_updated = 120 WHERE url = 'https://b.example/'");
    let count = |arguments: &str| {
        desk.say(&format!("sites list --json {arguments}")).json().as_array().unwrap().len()
    };

    assert_eq!(count(""), 3);
    assert_eq!(count("--tag prod"), 2);
    assert_eq!(count("--tag prod --tag eu"), 1);
    assert_eq!(count("--status up"), 1);
    assert_eq!(count("--status down"), 0);
}

#[test]
fn set_changes_what_is_named_and_nothing_else() {
    let desk = Desk::new();
    desk.say("sites add https://a.example/ --name a --timeout 7s --tag old").fine();

    desk.say("sites set a --every 5m --tag new").fine();

    let site = desk.say("sites show a --json").json();
    let told = [&site["url"], &site["every"], &site["timeout"], &site["tags"]];
    assert_eq!(json!(told), json!(["https://a.example/", "5m", "7s", ["new"]]));

    desk.say("sites set a --no-tags").fine();
    assert_eq!(desk.say("sites show a --json").json()["tags"], json!([]));
}

#[test]
fn a_default_timeout_follows_the_interval_and_a_chosen_one_does_not() {
    let desk = Desk::with_sites(&["a"]);

    desk.say("sites set a --every 4s").fine();
    assert_eq!(desk.say("sites show a --json").json()["timeout"], "1s600ms");

    desk.say("sites set a --every 1m --timeout 20s").fine();
    let error = desk.say("sites set a --every 15s").refused(2);
    assert!(error.contains("timeout = \"20s\"") && error.contains("every = \"15s\""), "{error}");
}

#[test]
fn set_without_a_change_is_wrong_usage() {
    let desk = Desk::with_sites(&["a"]);

    assert!(desk.say("sites set a").refused(2).contains("--every"));
    assert_eq!(desk.say("sites set a --every 60s").fine(), "a is like that already\n");
}

#[test]
fn a_paused_site_is_resumed() {
    let desk = Desk::with_sites(&["a", "b"]);
    let enabled = || desk.say("sites show a --json").json()["enabled"].clone();

    assert_eq!(desk.say("sites pause a b a").fine(), "paused a\npaused b\n");
    assert_eq!(desk.say("sites pause a").fine(), "a is paused already\n");
    assert_eq!(enabled(), false);

    assert_eq!(desk.say("sites resume a").fine(), "resumed a\n");
    assert_eq!(enabled(), true);
}

#[test]
fn an_unknown_site_suggests_the_nearest_and_stops_the_whole_command() {
    let desk = Desk::with_sites(&["shop", "blog"]);

    for command in [
        "sites pause blog shpo",
        "sites remove blog shpo --yes",
        "sites set shpo --every 5m",
        "report --site shpo",
    ] {
        let error = desk.say(command).refused(2);
        assert!(error.contains("there is no site \"shpo\"; did you mean \"shop\"?"), "{error}");
    }

    assert_eq!(desk.names(), ["blog", "shop"]);
    assert_eq!(desk.say("sites show blog --json").json()["enabled"], true);
}

#[test]
fn every_unknown_site_is_named() {
    let desk = Desk::with_sites(&["shop"]);

    let error = desk.say("sites pause one two shop").refused(2);

    assert!(error.contains("\"one\"") && error.contains("\"two\""), "{error}");
}

#[test]
fn a_removed_site_is_gone_and_its_id_is_not_given_again() {
    let desk = Desk::with_sites(&["shop", "blog"]);

    assert_eq!(desk.say("sites remove blog").fine(), "removed blog\n");

    assert_eq!(desk.names(), ["shop"]);
    desk.say("sites add https://blog.example/ --name blog").fine();
    assert_eq!(desk.say("sites show blog --json").json()["id"], 3);
}

fn settings(desk: &Desk, name: &str) -> serde_json::Value {
    let site = desk.say(&format!("sites show {name} --json")).json();
    json!([site["request"], site["tls"], site["expect"]])
}

#[test]
fn set_takes_back_everything_that_it_can_set() {
    let desk = Desk::with_sites(&["a"]);
    let key = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    desk.write("cert.pem", &key.cert.pem());
    desk.write("key.pem", &key.signing_key.serialize_pem());
    desk.write("token", "t0ken\n");
    for (set, back) in [
        ("--method POST", "method"),
        ("-H a:b", "header"),
        ("--body x", "body"),
        ("--body-file token", "body-file"),
        ("--basic-auth u:p", "basic-auth"),
        ("--bearer-token-file token", "bearer-token"),
        ("--no-follow", "no-follow"),
        ("--max-redirects 3", "max-redirects"),
        ("--ip v4", "ip"),
        ("--ca-file cert.pem", "ca-file"),
        ("--client-cert-file cert.pem --client-key-file key.pem", "client-cert-file"),
        ("--client-cert-file cert.pem --client-key-file key.pem", "client-key-file"),
        ("--server-name b.example", "server-name"),
        ("--tls-min 1.3", "tls-min"),
        ("-k", "accept-invalid"),
        ("--expiry-warning 3d", "expiry-warning"),
        ("--expect-status 204", "expect-status"),
        ("--expect-header etag", "expect-header"),
        ("--expect-body ok", "expect-body"),
        ("--expect-body-not ko", "expect-body-not"),
        ("--expect-body-matches ok", "expect-body-matches"),
        ("--expect-body-not-matches ko", "expect-body-not-matches"),
        ("--expect-json $.a=1", "expect-json"),
        ("--max-bytes 1KiB", "max-bytes"),
        ("--degraded-after 1s", "degraded-after"),
        ("--down-after 2s", "down-after"),
        ("--expect-http-version 1.1", "expect-http-version"),
        ("--expect-http-version 2,1.1", "expect-http-version"),
        ("--expect-tls required", "expect-tls"),
    ] {
        let none = json!([null, null, null]);

        desk.say(&format!("sites set a {set}")).fine();
        assert_ne!(settings(&desk, "a"), none, "{set}");
        desk.say(&format!("sites set a --reset {back}")).fine();
        assert_eq!(settings(&desk, "a"), none, "{back}");
    }
}

#[test]
fn what_is_reset_leaves_its_neighbours_and_gives_way_to_what_is_set_beside_it() {
    let desk = Desk::with_sites(&["a"]);
    desk.say("sites set a -k --no-follow -H X-Key:s3cret -H Accept:a --max-bytes 9 --expect-body ok --every 5m --tag x").fine();

    desk.say("sites set a --no-accept-invalid --follow --no-header x-key --reset max-bytes --reset every --reset tag").fine();
    let site = desk.say("sites show a --json").json();
    assert_eq!(site["request"], json!({"headers": {"Accept": "a"}}));
    assert_eq!(json!([site["tls"], site["expect"]]), json!([null, {"body": {"contains": ["ok"]}}]));
    assert_eq!(json!([site["every"], site["tags"]]), json!(["1m", []]));

    desk.say("sites set a --reset expect --expect-status 204").fine();
    assert_eq!(desk.say("sites show a --json").json()["expect"], json!({"status": [204]}));
    assert!(desk.say("sites set a --reset everything").refused(2).contains("max-bytes"));
}

#[test]
fn a_site_is_renamed_and_stays_what_it_is() {
    let desk = Desk::with_sites(&["shop", "blog"]);
    let before = desk.say("sites show shop --json").json();

    desk.say("sites set shop --rename store").fine();

    let after = desk.say("sites show store --json").json();
    for key in ["id", "phase", "url", "every"] {
        assert_eq!(after[key], before[key], "{key}");
    }
    assert_eq!(desk.names(), ["blog", "store"]);
    assert!(
        desk.say("sites set store --rename blog").refused(2).contains("there is a site \"blog\" already")
    );
    assert!(desk.run(&["sites", "set", "store", "--rename", " "]).refused(2).contains("is empty"));
    desk.write("uptime.toml", "[[site]]\nname = \"filed\"\nurl = \"https://a.example/\"\n");
    assert!(
        desk.say("sites set store --rename filed").refused(2).contains("declared in the configuration file")
    );
}

#[test]
fn credentials_may_have_no_user() {
    let desk = Desk::with_sites(&["a"]);

    desk.say("sites set a --basic-auth :t0ken").fine();

    let auth = desk.say("sites export --format json").json()[0]["request"]["basic_auth"].clone();
    assert_eq!(auth, json!({"username": "", "password": "t0ken"}));
}

#[test]
fn commands_that_change_one_site_at_once_lose_nothing() {
    let desk = Desk::with_sites(&["a"]);
    for round in 1..=4_u32 {
        let every = format!("sites set a --every {}m", round + 1);
        let timeout = format!("sites set a --timeout {round}s");
        let retries = format!("sites set a --retries {round}");
        let switch = if round % 2 == 0 { "sites resume a" } else { "sites pause a" };

        std::thread::scope(|scope| {
            for command in [every.as_str(), &timeout, &retries, switch] {
                let desk = &desk;
                scope.spawn(move || desk.say(command).fine());
            }
        });

        let site = desk.say("sites show a --json").json();
        let told = json!([site["every"], site["timeout"], site["retries"], site["enabled"]]);
        assert_eq!(told, json!([format!("{}m", round + 1), format!("{round}s"), round, round % 2 == 0]));
    }
}

/// Makes a site what a newer version might have made of it.
fn newer(desk: &Desk, name: &str) {
    desk.sql(&format!("UPDATE site_config SET settings = '{{\"grpc\":{{}}}}' WHERE name = '{name}'"));
}

#[test]
fn a_site_that_cannot_be_read_says_so_and_hides_no_other() {
    let desk = Desk::with_sites(&["good", "newer"]);
    newer(&desk, "newer");

    let table = desk.say("sites list").fine();
    let json = desk.say("sites list --json").json();
    let report = desk.say("report --format json").json();
    let shown = desk.say("sites show newer").fine();
    let export = desk.say("sites export --format json");

    assert!(table.contains("\"newer\": settings: unknown field `grpc`"), "{table}");
    assert_eq!(json!([json[0]["unreadable"], json[1]["name"]]), json!([null, "newer"]));
    assert!(json[1]["unreadable"].as_str().unwrap().contains("grpc"), "{json}");
    assert_eq!(report["sites"].as_array().unwrap().len(), 2);
    assert!(shown.contains("unreadable settings: unknown field `grpc`"), "{shown}");
    assert!(export.err.starts_with("left out: ") && export.err.contains("\"newer\" (id 2)"), "{export:?}");
    let exported: serde_json::Value = serde_json::from_str(&export.out).unwrap();
    assert_eq!((export.code, exported.as_array().unwrap().len()), (1, 1));
    assert_eq!(desk.say("audit").code, 0);
}

#[test]
fn a_site_that_cannot_be_read_is_not_changed_but_can_be_removed() {
    let desk = Desk::with_sites(&["good", "newer"]);
    newer(&desk, "newer");

    for command in ["sites set newer --every 5m", "sites pause good newer", "check --site newer"] {
        let error = desk.say(command).refused(3);
        assert!(error.contains("cannot read the site \"newer\"") && error.contains("grpc"), "{error}");
    }

    assert_eq!(desk.say("sites show good --json").json()["enabled"], true);
    desk.say("sites remove newer").fine();
    assert_eq!(desk.names(), ["good"]);
}

#[test]
fn a_status_of_a_newer_version_is_unknown_and_said() {
    let desk = Desk::with_sites(&["a"]);
    desk.sql("UPDATE sites SET last_status = 'flapping', since = 60, last_updated = 60");

    let site = desk.say("sites list --json").json()[0].clone();

    assert_eq!(site["status"], "unknown");
    assert!(site["unreadable"].as_str().unwrap().contains("flapping"), "{site}");
    desk.say("sites set a --every 5m").fine();
    assert_eq!(desk.say("sites export --format json").json().as_array().unwrap().len(), 1);
}

#[test]
fn the_id_of_a_removed_site_is_not_imported() {
    let desk = Desk::with_sites(&["shop", "blog"]);
    desk.say("sites remove blog").fine();
    desk.write("sites.csv", "name,url,id\nother,https://other.example/,2\n");

    let error = desk.say("sites import sites.csv").refused(2);

    assert!(error.contains("the ids 2 belong to") && error.contains("leave `id` out"), "{error}");
    desk.write("sites.csv", "name,url,id\nother,https://other.example/,3\n");
    desk.say("sites import sites.csv").fine();
}

#[test]
fn an_export_without_some_of_the_sites_is_written_and_says_no() {
    let desk = Desk::with_sites(&["good", "newer"]);
    newer(&desk, "newer");

    let export = desk.say("sites export sites.toml");

    assert_eq!((export.code, export.out.as_str()), (1, "exported 1 site to sites.toml\n"));
    assert!(export.err.starts_with("left out: ") && desk.read("sites.toml").contains("good"), "{export:?}");
}

#[test]
fn what_is_wrong_with_a_change_names_the_site_that_was_meant() {
    let desk = Desk::with_sites(&["shop"]);

    let error = desk.say("sites set shop --every 1M").refused(2);

    assert!(error.contains("site \"shop\": every = \"1M\""), "{error}");
}

#[test]
fn credentials_from_a_file_are_taken_back_by_the_name_of_their_flag() {
    let desk = Desk::with_sites(&["shop"]);
    let request = || desk.say("sites show shop --json").json()["request"].clone();
    desk.write("credentials", "u:p");

    for flag in ["basic-auth-file", "bearer-token-file"] {
        desk.say(&format!("sites set shop --{flag} credentials")).fine();
        assert!(request().is_object(), "{flag}");
        desk.say(&format!("sites set shop --reset {flag}")).fine();
        assert!(request().is_null(), "{flag}");
    }
}

#[test]
fn a_null_in_what_an_answer_is_compared_with_is_in_no_exports_way() {
    let desk = Desk::with_sites(&["plain"]);
    desk.run(&[
        "sites",
        "add",
        "https://n.example/",
        "--name",
        "nulls",
        "--expect-json",
        r#"$.a={"b":[null,1]}"#,
    ])
    .fine();
    let json = |desk: &Desk| desk.say("sites export --format json").json();
    let other = Desk::new();
    other.write("sites.toml", &desk.say("sites export").fine());

    other.say("sites import sites.toml").fine();

    assert_eq!(json(&other), json(&desk));
    assert_eq!(json(&other)[0]["expect"]["json"][0]["equals"], json!({ "b": [null, 1] }));
}

#[test]
fn retries_that_this_version_does_not_know_are_said_and_not_made_fewer() {
    let desk = Desk::with_sites(&["shop"]);
    desk.sql("UPDATE site_config SET retries = 300");

    let site = desk.say("sites show shop --json").json();
    let error = desk.say("sites set shop --every 5m").refused(3);

    assert!(site["unreadable"].as_str().unwrap().contains("retries: 300"), "{site}");
    assert!(error.contains("retries: 300"), "{error}");
}
