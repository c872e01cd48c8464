//! `sites import` and `sites export`.

use std::fmt::Write as _;

use crate::support::Desk;

const MIXED: &str = "\
name,url,every,timeout,tags
good-1,https://one.example/,1m,10s,prod;eu
bad-1,ftp://two.example/,1m,,
good-2,https://three.example/,,,

bad-2,https://four.example/,soon,,
good-1,https://five.example/,,,
good-3,https://six.example/,1h,,
";

#[test]
fn one_bad_row_and_nothing_is_imported_but_every_bad_line_is_named() {
    let desk = Desk::new();
    desk.write("sites.csv", MIXED);

    let error = desk.say("sites import sites.csv").refused(2);

    for line in [3, 6, 7] {
        assert!(error.contains(&format!("sites.csv:{line}: ")), "{line}: {error}");
    }
    assert!(error.contains("3 of 6 sites cannot be used, and nothing was imported"), "{error}");
    assert!(error.contains("--skip-invalid"), "{error}");
    assert!(!desk.path("uptime.db").exists());
}

#[test]
fn bad_rows_are_left_out_when_told_so() {
    let desk = Desk::new();
    desk.write("sites.csv", MIXED);

    let done = desk.say("sites import sites.csv --skip-invalid");

    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.starts_with("imported 3 sites (added 3, changed 0, unchanged 0) in "), "{done:?}");
    assert!(done.out.ends_with("skipped 3 invalid sites\n"), "{done:?}");
    assert!(done.err.contains("sites.csv:3: "), "{done:?}");
    assert_eq!(desk.names(), ["good-1", "good-2", "good-3"]);
}

#[test]
fn a_hundred_thousand_sites_are_imported() {
    let desk = Desk::new();
    let mut rows = String::from("name,url,every,timeout,tags\n");
    for n in 0..100_000 {
        writeln!(rows, "site-{n},https://s{n}.example/,1m,10s,bulk").unwrap();
    }
    desk.write("sites.csv", &rows);

    let told = desk.say("sites import sites.csv").fine();

    assert!(told.starts_with("imported 100000 sites (added 100000, changed 0, unchanged 0) in "), "{told}");
    assert_eq!(desk.say("sites list --json").json().as_array().unwrap().len(), 100_000);
}

#[test]
fn a_taken_name_is_refused_unless_it_may_be_changed() {
    let desk = Desk::with_sites(&["a", "b"]);
    desk.write(
        "sites.csv",
        "name,url,every\na,https://a.example/,5m\nb,https://b.example/,\nc,https://c.example/,\n",
    );

    let error = desk.say("sites import sites.csv").refused(2);
    assert!(error.contains("\"a\"") && error.contains("--update") && !error.contains("\"b\""), "{error}");
    assert_eq!(desk.names(), ["a", "b"]);

    let told = desk.say("sites import sites.csv --update").fine();
    assert!(told.starts_with("imported 3 sites (added 1, changed 1, unchanged 1)"), "{told}");
    assert_eq!(desk.say("sites show a --json").json()["every"], "5m");
}

#[test]
fn every_format_survives_export_and_import() {
    let desk = Desk::with_sites(&["plain"]);
    desk.run(&[
        "sites",
        "add",
        "https://x.example/?a=1,2&b=\"3\"",
        "--name",
        "comma, \"quote\" and ünïcode",
        "--tag",
        "eu",
    ])
    .fine();
    desk.say(
        "sites add https://p.example/ --name paused --every 90s --timeout 1500ms --retries 3 --disabled",
    )
    .fine();
    for format in ["csv", "toml", "json"] {
        let file = format!("sites.{format}");
        desk.say(&format!("sites export {file}")).fine();
        let other = Desk::new();
        other.write(&file, &desk.read(&file));

        other.say(&format!("sites import {file}")).fine();

        let export = |desk: &Desk| desk.say("sites export --format json").json();
        assert_eq!(export(&other), export(&desk), "{format}");
        let again = other.say(&format!("sites import {file}")).fine();
        assert!(again.contains("unchanged 3"), "{again}");
    }
}

#[test]
fn an_export_may_hold_passwords_and_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let desk = Desk::with_sites(&["shop"]);

    desk.say("sites export sites.toml").fine();

    let mode = std::fs::metadata(desk.path("sites.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}

#[test]
fn an_export_to_stdout_is_imported_from_stdin() {
    let desk = Desk::with_sites(&["shop"]);
    let toml = desk.say("sites export").fine();
    let other = Desk::new();

    other.run_with(&["sites", "import", "-", "--format", "toml"], &[], &toml).fine();

    assert_eq!(other.names(), ["shop"]);
    assert!(toml.starts_with("[[site]]\nname = \"shop\"\n"), "{toml}");
}

#[test]
fn what_cannot_be_read_or_written_is_named_with_a_remedy() {
    let desk = Desk::with_sites(&["shop"]);
    desk.write("sites.txt", "");
    desk.write("sites.json", "{");

    assert!(desk.say("sites import missing.csv").refused(2).contains("missing.csv"));
    assert!(desk.say("sites import sites.txt").refused(2).contains("--format"));
    assert!(desk.say("sites import sites.json").refused(2).contains("sites.json:1"));
    assert!(desk.say("sites import -").refused(2).contains("--format"));
    assert!(
        desk.say("sites export missing/sites.csv")
            .refused(2)
            .contains("failed to write missing/sites.csv: No such file or directory")
    );
    assert!(desk.say("sites export sites.txt/sites.csv").refused(2).contains("not a directory"));
}
