//! Help, wrong usage, and what happens where there is no database.

use std::process::{Command, Stdio};

use crate::support::Desk;

const COMMANDS: [&str; 22] = [
    "",
    "run",
    "scheduler",
    "worker",
    "consumer",
    "health",
    "check",
    "sites",
    "sites add",
    "sites list",
    "sites show",
    "sites set",
    "sites pause",
    "sites resume",
    "sites remove",
    "sites import",
    "sites export",
    "report",
    "audit",
    "migrate",
    "config",
    "completions",
];

#[test]
fn every_command_has_help_with_an_example_that_fits_a_terminal() {
    let desk = Desk::new();
    for command in COMMANDS {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = desk.run_with(&arguments, &[("COLUMNS", "80")], "").fine();

        assert!(help.contains("Example"), "{help}");
        assert!(help.contains("--config"), "{help}");
        let example = |line: &&str| line.trim_start().starts_with("uptime-monitor ");
        assert!(help.lines().filter(example).all(|line| line.len() <= 80), "{help}");
    }
}

#[test]
fn a_role_that_cannot_work_with_the_configuration_says_why_and_exits_2() {
    let desk = Desk::new();
    for role in ["scheduler", "worker", "consumer"] {
        let error = desk.say(role).refused(2);
        assert!(
            error.contains(&format!("a {role} shares its work")) && error.contains("postgres://"),
            "{error}"
        );
    }

    let postgres = ("UPTIME__DATABASE__URL", "postgres://u@127.0.0.1:1/x");
    let error = desk.run_with(&["consumer"], &[postgres], "").refused(2);

    assert!(error.contains("nothing to consume") && error.contains("kafka"), "{error}");
}

#[test]
fn a_run_of_a_region_for_which_nothing_is_queued_is_refused_with_the_key_and_the_remedy() {
    let desk = Desk::new();

    let error = desk.run_with(&["run"], &[("UPTIME__WORKER__REGION", "eu")], "").refused(2);

    for part in ["nothing would be checked", "worker.region = \"eu\"", "leave worker.region empty"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn wrong_usage_exits_2_and_leaves_no_database_behind() {
    let desk = Desk::new();
    for arguments in [
        "nonsense",
        "--nonsense",
        "check",
        "check example.com",
        "check https://example.com/ --site shop",
        "sites add",
        "sites add example.com",
        "sites add https://example.com/ --every 0s",
        "sites list --status fine",
        "sites set shop",
        "sites set shop --every 1M",
        "sites set shop --every 60",
        "sites set shop --url ftp://a",
        "sites set shop --timeout 2y",
        "sites set shop --retries many",
        "sites set shop --expect-json status=UP",
        "sites set shop --expect-status often",
        "sites set shop --max-bytes much",
        "sites set shop --header nonsense",
        "sites set shop --ca-file missing.pem",
        "sites set shop --down-after banana",
        "sites export missing/sites.csv",
        "check --site shop",
        "check https://example.com/ --timeout 1month",
        "health --url banana",
        "report --last banana",
        "report --last 1M",
        "report --last 100000d",
        "report --from yesterday",
        "report --to 1960-01-01T00:00:00Z",
        "report --from 2026-11-25T00:00:00Z --to 2026-11-24T00:00:00Z",
        "audit --last 10",
        "audit --from 2026-11-24",
        "report --format xml",
        "report --last 10m --from 2026-11-24T00:00:00Z",
        "audit --last 10m --to 2026-11-24T00:00:00Z",
        "completions csh",
        "-c missing.toml sites list",
        "--log inof sites list",
    ] {
        let error = desk.say(arguments).refused(2);

        assert!(error.starts_with("error: "), "{arguments}: {error}");
        assert!(!desk.path("uptime.db").exists(), "{arguments}");
    }
}

#[test]
fn what_may_be_right_for_some_site_is_not_refused_before_the_site_is_known() {
    let desk = Desk::new();
    desk.write("cert.pem", &rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap().cert.pem());
    for flags in [
        "--down-after 20s",
        "--every 1h --degraded-after 29m",
        "--timeout 40s",
        "--expect-tls forbidden",
        "--expect-tls required",
        "--ip v6",
        "--max-redirects 3",
        "--client-cert-file cert.pem",
        "--reset tls",
        "--rename other",
    ] {
        let error = desk.say(&format!("sites set shop {flags}")).refused(3);
        assert!(error.contains("there is no database"), "{flags}: {error}");
    }
}

#[test]
fn a_question_creates_no_database_but_says_what_does() {
    let desk = Desk::new();
    for arguments in [
        "sites list",
        "sites show shop",
        "sites export",
        "sites pause shop",
        "sites remove shop",
        "report",
        "audit",
    ] {
        let error = desk.say(arguments).refused(3);

        assert!(error.contains("there is no database uptime.db yet"), "{error}");
        assert!(error.contains("uptime-monitor run") && error.contains("sites add"), "{error}");
        assert!(!desk.path("uptime.db").exists(), "{arguments}");
    }
}

#[test]
fn a_database_that_cannot_be_opened_exits_3_with_path_and_cause() {
    let desk = Desk::new();
    desk.write("file", "");
    for url in ["sqlite://file/uptime.db", "sqlite://."] {
        let env = [("UPTIME__DATABASE__URL", url)];

        let error = desk.run_with(&["sites", "add", "https://example.com/"], &env, "").refused(3);

        assert!(error.contains("failed to open the database"), "{error}");
        assert!(error.contains(url.trim_start_matches("sqlite://")), "{error}");
    }
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let desk = Desk::new();
    desk.write("uptime.db", &"this is a diary\n".repeat(100));

    let error = desk.say("report").refused(3);

    assert!(error.contains("not a database"), "{error}");
    assert!(desk.read("uptime.db").starts_with("this is a diary"));
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let desk = Desk::with_sites(&["shop"]);
    desk.sql("INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000000')");

    for arguments in ["sites list", "report", "audit", "migrate", "sites add https://example.com/"] {
        let error = desk.say(arguments).refused(3);

        assert!(error.contains("20991231000000") && error.contains("newer version"), "{error}");
    }
}

#[test]
fn migrate_says_what_it_applied_and_then_that_nothing_is_left() {
    let desk = Desk::new();

    let first = desk.say("migrate").fine();
    let second = desk.say("migrate").fine();

    assert!(first.starts_with("applied "), "{first}");
    assert_eq!(second, "uptime.db is up to date\n");
}

#[test]
fn without_the_right_to_migrate_a_missing_database_is_left_to_migrate() {
    let desk = Desk::new();
    let env = [("UPTIME__DATABASE__MIGRATE", "false")];
    let add = ["sites", "add", "https://example.com/"];

    let error = desk.run_with(&add, &env, "").refused(3);
    assert!(error.contains("`uptime-monitor migrate` creates it"), "{error}");
    assert!(!desk.path("uptime.db").exists());

    desk.say("migrate").fine();
    desk.run_with(&add, &env, "").fine();
}

#[test]
fn completions_are_printed_for_every_shell() {
    let desk = Desk::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(desk.say(&format!("completions {shell}")).fine().contains("uptime-monitor"));
    }
}

/// The exit code of a command whose output nobody reads, and what it said on stderr.
fn unread(desk: &Desk, arguments: &[&str], closed: &str) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_uptime-monitor"))
        .args(arguments)
        .current_dir(desk.path(""))
        .env("UPTIME__DATABASE__URL", "sqlite://uptime.db")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    match closed {
        "stdout" => drop(child.stdout.take()),
        _ => drop(child.stderr.take()),
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let desk = Desk::with_sites(&["shop"]);

    for arguments in [&["completions", "bash"][..], &["sites", "list"], &["report"], &["sites", "export"]] {
        assert_eq!(unread(&desk, arguments, "stdout"), (Some(0), String::new()), "{arguments:?}");
    }
}

#[test]
fn a_closed_pipe_keeps_the_exit_code_of_the_answer() {
    let desk = Desk::with_sites(&["shop"]);
    desk.sql(
        "UPDATE site_schedule SET valid_from = 1606176000; UPDATE scheduler_state SET last_tick = 1606186000; DELETE FROM job_queue",
    );
    let range = ["--from", "2020-11-24T00:00:00Z", "--to", "2020-11-24T01:00:00Z"];
    let audit = [&["audit", "--sites"][..], &range].concat();
    let check = ["check", "http://127.0.0.1:1/", "--retries", "0"];
    desk.write("wrong.toml", "[worker]\nlease = 5\n");
    desk.write("sites.csv", "name,url\na,x\n");

    assert_eq!(unread(&desk, &audit, "stdout").0, Some(1));
    assert_eq!(unread(&desk, &check, "stdout").0, Some(1));
    for arguments in [
        &["-c", "wrong.toml", "config", "check"][..],
        &["sites", "import", "sites.csv"],
        &["report", "--last", "banana"],
    ] {
        assert_eq!(unread(&desk, arguments, "stderr").0, Some(2), "{arguments:?}");
    }
}
