//! `check`, against a server of our own.

use serde_json::{Value, json};

use crate::server::{Server, answer};
use crate::support::Desk;

#[test]
fn a_check_tells_what_it_found_and_stores_nothing() {
    let desk = Desk::new();

    let told = desk.run(&["check", &Desk::server("200 OK")]).fine();

    assert!(told.starts_with("UP http://127.0.0.1:"), "{told}");
    assert!(!desk.path("uptime.db").exists());
}

#[test]
fn a_site_that_is_down_makes_the_answer_no() {
    let url = Desk::server("500 Internal Server Error");

    let done = Desk::new().run(&["check", &url, "--retries", "0", "--json"]);

    assert_eq!((done.code, done.err.as_str(), done.out.lines().count()), (1, "", 1));
    let result: Value = serde_json::from_str(&done.out).unwrap();
    let told = [&result["status"], &result["reason"], &result["http_status"], &result["site_id"]];
    assert_eq!(json!(told), json!(["down", "status", 500, null]));
}

#[test]
fn a_site_of_the_database_is_checked_by_name_even_when_it_is_paused() {
    let desk = Desk::new();
    desk.run(&["sites", "add", &Desk::server("200 OK"), "--name", "shop", "--disabled"]).fine();

    let result = desk.say("check --site shop --json").json();

    assert_eq!(json!([result["status"], result["site_id"]]), json!(["up", 1]));
    assert!(desk.say("check --site shpo").refused(2).contains("did you mean \"shop\"?"));
}

#[test]
fn a_site_of_the_file_is_checked_without_a_database() {
    let desk = Desk::new();
    desk.write("uptime.toml", &format!("[[site]]\nname = \"shop\"\nurl = \"{}\"\n", Desk::server("200 OK")));

    let result = desk.say("check --site shop --json").json();

    assert_eq!(json!([result["status"], result["site_id"]]), json!(["up", null]));
    assert!(!desk.path("uptime.db").exists());
}

#[test]
fn a_site_that_nothing_knows_is_wrong_usage_and_both_places_are_named() {
    let desk = Desk::new();
    let without_file = desk.say("check --site shop").refused(2);
    desk.write("uptime.toml", "[[site]]\nname = \"shop\"\nurl = \"https://shop.example/\"\n");
    let without_database = desk.say("check --site shpo").refused(2);
    desk.say("sites add https://blog.example/ --name blog").fine();
    let in_neither = desk.say("check --site blgo").refused(2);

    assert!(
        without_file.contains("no configuration file") && without_file.contains("no database uptime.db"),
        "{without_file}"
    );
    for (error, parts) in [
        (
            without_database,
            ["uptime.toml declares none", "no database uptime.db yet", "did you mean \"shop\"?"],
        ),
        (in_neither, ["uptime.toml declares none", "the database has none", "did you mean \"blog\"?"]),
    ] {
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn a_site_of_the_file_leaves_the_database_alone_and_waits_for_none() {
    let desk = Desk::with_sites(&["shop"]);
    // As of a version that this one would have to migrate.
    desk.sql("DELETE FROM __diesel_schema_migrations WHERE version LIKE '20261127%'");
    desk.write("uptime.toml", &format!("[[site]]\nname = \"shop\"\nurl = \"{}\"\n", Desk::server("200 OK")));
    let before = std::fs::read(desk.path("uptime.db")).unwrap();

    let result = desk.say("check --site shop --json").json();

    assert_eq!(json!([result["status"], result["site_id"]]), json!(["up", 1]));
    assert_eq!(std::fs::read(desk.path("uptime.db")).unwrap(), before);
    desk.write("uptime.toml", &format!("[[site]]\nname = \"shop\"\nurl = \"{}\"\n", Desk::server("200 OK")));
    let nobody = [("UPTIME__DATABASE__URL", "postgres://u@192.0.2.1/x")];
    let started = uptime_monitor::clock::Clock::instant();
    let checked = desk.run_with(&["check", "--site", "shop", "--json"], &nobody, "");
    assert_eq!((checked.code, checked.err.as_str()), (0, ""));
    assert!(started.elapsed() < std::time::Duration::from_secs(5), "no server was asked");
}

#[test]
fn a_check_tells_what_it_expected_and_what_it_found() {
    let fine = Desk::new().run(&["check", &Desk::server("204 No Content")]).fine();
    let done = Desk::new().run(&["check", &Desk::server("503 Service Unavailable"), "--retries", "0"]);

    assert!(fine.contains("  ✓ status 2xx  204 No Content\n"), "{fine}");
    assert!(done.out.contains("  ✗ status 2xx  503 Service Unavailable\n"), "{done:?}");
    assert!(done.out.contains("beginning of the body\n    ok\n"), "{done:?}");
    assert!(!done.out.contains('\u{1b}'), "{done:?}");
}

#[test]
fn every_hop_of_a_redirected_check_is_told() {
    let server = Server::answering(|path| match path {
        "/" => answer("302 Found", "Location: /there\r\n", ""),
        _ => answer("200 OK", "", "ok"),
    });

    let told = Desk::new().run(&["check", &server.url("/")]).fine();

    let lines: Vec<&str> = told.lines().map(str::trim).collect();
    for line in [format!("hop 1       {}", server.url("/")), format!("hop 2       {}", server.url("/there"))]
    {
        assert!(lines.contains(&line.as_str()), "{line}: {told}");
    }
    assert_eq!(lines.iter().filter(|line| line.starts_with("wait ")).count(), 2, "{told}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn every_flag_that_cannot_be_read_is_told_at_once_with_a_remedy_and_without_secrets() {
    let flags = ["-H", "Authorization Bearer s3cret", "--basic-auth", "s3cret"];
    let expectations = ["--expect-header", "Content-Type: json", "--expect-json", "status=UP"];

    let error = Desk::new()
        .run(&[&["check", "https://shop.example/"], &flags[..], &expectations].concat())
        .refused(2);

    assert!(error.starts_with("error: 4 problems:\n"), "{error}");
    for part in ["write 'Name: value'", "write USER:PASSWORD", "NAME*=TEXT", "begin with $", "\"status=UP\""]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("s3cret"), "{error}");
}

#[test]
fn a_site_by_name_is_checked_as_it_is_configured_and_with_no_other_flags() {
    for (flags, named) in [
        ("--method POST -k", "so --method, --accept-invalid cannot"),
        ("-H a:b", "so --header cannot"),
        ("--tls-min 1.3", "so --tls-min cannot"),
        ("--expect-json bad --expect-json worse", "so --expect-json cannot"),
        ("--no-follow", "so --no-follow cannot"),
    ] {
        let error = Desk::new().say(&format!("check --site shop {flags}")).refused(2);

        assert!(error.contains(named) && error.contains("sites set"), "{flags}: {error}");
    }
}

#[test]
fn what_excludes_each_other_is_refused() {
    for flags in
        ["--body a --body-file b", "--basic-auth a:b --bearer-token c", "--no-follow --max-redirects 3"]
    {
        let error = Desk::new().say(&format!("check https://shop.example/ {flags}")).refused(2);

        assert!(error.contains("cannot be used with"), "{flags}: {error}");
    }
}
