//! Every kind of bad value is refused, all at once, with place, key, value and remedy.

use crate::{Setup, assert_says, problem};

#[test]
fn every_problem_is_told_at_once_in_the_order_of_the_file() {
    let setup = Setup::file(
        "[scheduler]\ntick = \"1m\"\ntik = 1\n[worker]\nconcurrency = 0\n[wroker]\nname = 1\nregion = 2\n\
         [[site]]\nname = \"a\"\nurl = \"ftp://a\"\nevery = 60\n",
    )
    .env("UPTIME__WORKER__TREADS", "2")
    .flag("log.format", "xml");
    let starts: Vec<String> =
        setup.problems().iter().map(|problem| problem.split(" = ").next().unwrap().to_owned()).collect();

    assert_eq!(
        starts,
        [
            "uptime.toml:2: scheduler.tick",
            "uptime.toml:3: scheduler.tik: unknown key; did you mean scheduler.tick?",
            "uptime.toml:5: worker.concurrency",
            "uptime.toml:6: [wroker]: unknown section; did you mean [worker]?",
            "uptime.toml:11: site \"a\": url",
            "uptime.toml:12: site \"a\": every",
            "environment variable UPTIME__WORKER__TREADS: worker.treads: unknown key; did you mean UPTIME__WORKER__THREADS?",
            "command line (log.format): log.format",
        ]
    );
}

#[test]
fn the_whole_text_counts_the_problems_and_gives_each_a_line() {
    let text = Setup::file("[scheduler]\ntick = 1\ntik = 1").load().unwrap_err().to_string();

    assert_eq!(text.lines().count(), 3, "{text}");
    assert_says(&text, &["2 problems in the configuration:\n"]);
}

#[test]
fn a_misspelt_key_is_told_the_nearest() {
    assert_says(
        &problem("[checker]\ntimout = \"1s\""),
        &[":2: ", "checker.timout", "did you mean checker.timeout?"],
    );
    assert_says(&problem("[checker]\nuser-agent = \"x\""), &["did you mean checker.user_agent?"]);
    assert_says(&problem("[worker]\ntimeout = \"1s\""), &["did you mean checker.timeout?"]);
    assert_says(&problem("tick = \"1s\""), &["did you mean scheduler.tick?"]);
    assert_says(&problem("database_url = \"sqlite://a\""), &["did you mean database.url?"]);
    assert_says(&problem("[[sites]]\nname = \"a\""), &["did you mean [[site]]?"]);
}

#[test]
fn a_key_that_resembles_nothing_is_told_what_there_is() {
    assert_says(&problem("[persister]\ncolour = 1"), &["unknown key", "persister.batch, persister.linger"]);
    assert_says(&problem("[web]\ncolour = 1"), &["unknown key", "known here are web.listen"]);
    assert_says(&problem("[colours]\nred = 1"), &["unknown section", "known sections are checker, database"]);
}

#[test]
fn a_misspelt_variable_is_told_the_nearest_as_a_variable() {
    let misspelt = |name: &str| Setup::file("").env(name, "x").problem();

    assert_says(&misspelt("UPTIME__DATABASE__ULR"), &["did you mean UPTIME__DATABASE__URL?"]);
    assert_says(&misspelt("UPTIME__DATABASE_URL"), &["did you mean UPTIME__DATABASE__URL?"]);
    assert_says(&misspelt("UPTIME__DATABSE__URL"), &["did you mean UPTIME__DATABASE__URL?"]);
    assert_says(&misspelt("UPTIME__SITE__URL"), &["sites cannot be set here"]);
    assert_says(&misspelt("UPTIME__"), &["unknown key"]);
}

#[test]
fn a_wrong_type_is_told_the_right_one() {
    assert_says(
        &problem("[worker]\nthreads = \"4\""),
        &["worker.threads = \"4\"", "is a string, not a whole number"],
    );
    assert_says(&problem("[worker]\nthreads = 1.5"), &["not a whole number"]);
    for (region, what) in
        [("EU", "has a character other than a-z"), (&"a".repeat(32), "is longer than 31 characters")]
    {
        let problem = problem(&format!("[worker]\nregion = \"{region}\""));
        assert_says(
            &problem,
            &[&format!("worker.region = \"{region}\""), what, "lower-case letters", "\"eu-west\""],
        );
    }
    assert_says(&problem("[worker]\nname = 4"), &["worker.name = 4", "not a string"]);
    assert_says(&problem("[database]\nmigrate = \"yes\""), &["true or false, without quotes"]);
    assert_says(&problem("[checker]\ndns = \"9.9.9.9:53\""), &["not a list of strings"]);
    assert_says(&problem("[checker]\ndns = [53]"), &["not a list of strings"]);
    assert_says(&problem("[worker.name]\nfirst = \"a\""), &["is a table, not a string"]);
    assert_says(&problem("database = \"sqlite://a\""), &["is a section", "write [database]"]);
    assert_says(&problem("[[database]]\nurl = \"sqlite://a\""), &["is a section", "write [database]"]);
    assert_says(&problem("[site]\nname = \"a\""), &["write [[site]]"]);
    assert_says(&problem("site = [1]"), &["1", "is no site"]);
    assert_says(&Setup::file("").env("UPTIME__WORKER__THREADS", "four").problem(), &["not a whole number"]);
}

#[test]
fn a_number_out_of_range_is_told_the_range() {
    assert_says(&problem("[worker]\nconcurrency = 0"), &["is less than 1", "choose 1 to 1000000"]);
    assert_says(&problem("[worker]\nthreads = -1"), &["is less than 0"]);
    assert_says(&problem("[result_log]\ncapacity = 0"), &["is less than 1"]);
    assert_says(&problem("[persister]\nbatch = 99999999999999999999"), &["is more than 100000"]);
    assert_says(&problem("[checker]\nbody_limit = 0"), &["is less than 1"]);
    assert_says(&problem("[checker]\nbody_limit = \"2GiB\""), &["is more than 1GiB"]);
}

#[test]
fn a_bad_duration_is_told_how_to_write_one() {
    assert_says(&problem("[scheduler]\ntick = 1"), &["scheduler.tick = 1", "add a unit", "\"1s\""]);
    assert_says(&problem("[scheduler]\ntick = \"1\""), &["add a unit"]);
    assert_says(&problem("[scheduler]\ntick = 0.5"), &["add a unit"]);
    assert_says(&problem("[scheduler]\ntick = \"1x\""), &["is no duration", "\"10s\""]);
    assert_says(&problem("[scheduler]\ntick = \"\""), &["is no duration"]);
    assert_says(&problem("[scheduler]\ntick = \"-1s\""), &["is no duration"]);
    assert_says(&problem("[scheduler]\ntick = true"), &["not a duration"]);
    assert_says(&problem("[scheduler]\ntick = \"99ms\""), &["is less than 100ms", "choose 100ms to 10s"]);
    assert_says(&problem("[scheduler]\ntick = \"10001ms\""), &["is more than 10s"]);
    assert_says(&problem("[scheduler]\ntick = \"99999999999999999999y\""), &["is no duration"]);
}

#[test]
fn a_bad_size_is_told_how_to_write_one() {
    for size in ["\"1 elephant\"", "\"\"", "\"MiB\"", "\"1.5MiB\"", "true", "-1", "\"99999999999999999999\""]
    {
        assert_says(
            &problem(&format!("[checker]\nbody_limit = {size}")),
            &["checker.body_limit", "\"1MiB\""],
        );
    }
}

#[test]
fn a_database_that_is_none_of_ours_is_refused_without_showing_its_password() {
    let mysql = problem("[database]\nurl = \"mysql://u:hunter2@db/x\"");

    assert_says(&mysql, &["mysql://u:***@db/x", "sqlite://data/uptime.db", "postgres://"]);
    assert_says(&problem("[database]\nurl = \"data.db\""), &["neither with sqlite:// nor with postgres://"]);
    assert_says(&problem("[database]\nurl = \"sqlite://\""), &["has no path"]);
    assert_says(&problem("[database]\nurl = \"sqlite://a?mode=ro\""), &["options"]);
}

#[test]
fn what_needs_other_servers_is_told_how_to_name_them() {
    let postgres = "[database]\nurl = \"postgres://u@db/x\"\n";
    let log = |text: &str| {
        problem(&format!("{postgres}[result_log]\nkind = \"kafka\"\n[result_log.kafka]\n{text}"))
    };

    assert_says(&problem("[result_log]\nkind = \"locale\""), &["did you mean \"local\"?"]);
    assert_says(&log("brokers = [\"kafka\"]"), &["result_log.kafka.brokers", "\"kafka-1:9092\""]);
    assert_says(&log("brokers = []"), &["names no broker"]);
    assert_says(&log("topic = \"my topic\""), &["is no name of a topic"]);
    assert_says(&log("topic = \"a\"\ndead_letter_topic = \"a\""), &["is the same as result_log.kafka.topic"]);
    assert_says(&log("group = \"\""), &["is no name of a group"]);
    assert_says(&log("security = \"tsl\""), &["did you mean \"tls\"?"]);
    assert_says(&log("security = \"sasl_tls\""), &["needs a user", "username"]);
    assert_says(&log("group_protocol = \"clasic\""), &["did you mean \"classic\"?"]);
    assert_says(&log("topics = \"x\""), &["result_log.kafka.topics", "did you mean result_log.kafka.topic?"]);
    assert_says(&problem("[web]\nlisten = \"localhost\""), &["\"127.0.0.1:9180\""]);
}

#[test]
fn a_url_of_postgresql_is_checked_before_it_is_tried() {
    let url = |url: &str| problem(&format!("[database]\nurl = \"{url}\""));

    assert_says(&url("postgres:///x"), &["names no host"]);
    assert_says(&url("postgres://u@db"), &["names no database"]);
    assert_says(&url("postgres://u@db/x?sslmode=verify"), &["unknown sslmode", "verify-full"]);
    assert_says(&url("postgres://u@db:port/x"), &["is no URL"]);
    for (query, word, remedy) in [
        ("gssencmode=disable", "gssencmode", "leave it out"),
        ("passfile=/x", "passfile", "database.url_file"),
        ("pgbouncer=true", "pgbouncer", "pool_mode = session"),
        ("connection_limit=3", "connection_limit", "database.connections"),
        ("target_session_attrs=primary", "target_session_attrs", "leave it out"),
    ] {
        assert_says(&url(&format!("postgres://u@db/x?{query}")), &["database.url", word, remedy]);
    }
    for fine in
        ["u:p@h1:5432,h2:5432/x", "u@%2Fvar%2Frun%2Fpostgresql/x", "u@/x?host=a,b&port=1,2", "u@/x?host=/run"]
    {
        let loaded = Setup::file(&format!("[database]\nurl = \"postgres://{fine}\"")).load().unwrap();
        assert_eq!(loaded.config.database.url, format!("postgres://{fine}"));
    }
}

#[test]
fn a_password_that_should_have_been_escaped_is_shown_nowhere() {
    for (rest, remedy) in [
        ("u:sec@ret99@db/x", "%40"),
        ("u:sec/ret99@db/x", "%2F"),
        ("u:sec?ret99@db/x", "%3F"),
        ("u:123?ret99@db/x", "%3F"),
        ("u:secret99", "%XX"),
        ("u:sec%ret99@db/x", "%25"),
    ] {
        let told = problem(&format!("[database]\nurl = \"postgres://{rest}\""));
        assert_says(&told, &["database.url", remedy]);
        for piece in ["sec", "ret99", "123"] {
            assert!(!told.contains(piece), "{rest}: {told}");
        }
    }
}

#[test]
fn kafka_needs_postgresql() {
    let both = problem("[result_log]\nkind = \"kafka\"");

    assert_says(&both, &["result_log.kind = \"kafka\"", "needs PostgreSQL", "sqlite://data/uptime.db"]);
}

#[test]
fn a_bad_address_is_told_how_to_write_one() {
    let deny = |item: &str| problem(&format!("[checker]\ndeny_targets = [\"{item}\"]"));
    let dns = |item: &str| problem(&format!("[checker]\ndns = [\"{item}\"]"));

    assert_says(&deny("10.0.0.1"), &["write \"10.0.0.1/32\""]);
    assert_says(&deny("linklocal"), &["did you mean \"link-local\"?"]);
    assert_says(&deny("10.0.0.0/33"), &["10.0.0.0/33", "CIDR"]);
    assert_says(&deny("10.0.0.0/+8"), &["CIDR"]);
    assert_says(&deny("everything"), &["loopback, private"]);
    assert_says(&dns("9.9.9.9"), &["add the port: \"9.9.9.9:53\""]);
    assert_says(&dns("dns.example:53"), &["ip:port"]);
}

#[test]
fn combinations_that_cannot_work_are_refused() {
    let backoff = problem("[supervisor]\nbackoff_max = \"50ms\"");
    let heartbeat = problem("[supervisor]\nheartbeat = \"10s\"");

    assert_says(
        &backoff,
        &[":2: ", "backoff_min = \"100ms\"", "is longer than supervisor.backoff_max = \"50ms\""],
    );
    assert_says(&heartbeat, &[":2: ", "is not shorter than supervisor.hang_timeout"]);
}

#[test]
fn a_combination_of_values_that_are_refused_anyway_is_not_mentioned() {
    assert_says(&problem("[supervisor]\nbackoff_max = \"never\""), &["backoff_max", "is no duration"]);
}

#[test]
fn a_bad_log_setting_is_told_the_words() {
    assert_says(&problem("[log]\nlevel = \"inof\""), &["\"inof\"", "did you mean \"info\"?"]);
    assert_says(&problem("[log]\nlevel = \"info,a::b=loud\""), &["\"loud\"", "off, error, warn"]);
    assert_says(&problem("[log]\nformat = \"xml\""), &["choose from text, json"]);
    for good in ["info,uptime_monitor::probe=debug", "WARN", "", "actix=off/pattern"] {
        Setup::file(&format!("[log]\nlevel = \"{good}\"")).config();
    }
}

#[test]
fn a_user_agent_that_cannot_stand_in_a_header_is_refused() {
    for bad in ["", "a\\nb", "ü"] {
        assert_says(
            &problem(&format!("[checker]\nuser_agent = \"{bad}\"")),
            &["checker.user_agent", "header"],
        );
    }
}

#[test]
fn broken_syntax_is_told_with_its_line_and_everything_else_too() {
    let problems =
        Setup::file("[scheduler]\ntick = 1s\n[worker]\nthreads = -1\nname = \"a\"\nname = \"b\"\n")
            .problems();

    assert_says(&problems[0], &["uptime.toml:2: ", "\"tick\": is no valid TOML"]);
    assert_says(&problems[1], &["uptime.toml:4: worker.threads"]);
    assert_says(&problems[2], &["uptime.toml:6: ", "duplicate"]);
    assert_eq!(problems.len(), 3, "{problems:#?}");
}

#[test]
fn a_line_without_a_value_does_not_hide_the_lines_after_it() {
    let problems = Setup::file("x\n= 3\n[scheduler]\ntick \"1s\"\ntik = 1\n[worker]\nname = a\n").problems();

    let lines: Vec<&str> = problems.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
    let expected = ["uptime.toml:1", "uptime.toml:2", "uptime.toml:4", "uptime.toml:5", "uptime.toml:7"];
    assert_eq!(lines, expected, "{problems:#?}");
}

#[test]
fn a_bracket_that_is_not_closed_is_not_told_for_every_line_after_it() {
    let text = format!("[checker]\ndns = [\"9.9.9.9:53\"\n{}", "[[site]]\nname = \"a\"\n".repeat(500));

    assert!(Setup::file(&text).problems().len() < 15);
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem() {
    let binary = Setup::file("");
    std::fs::write(binary.path(), [0xff, 0xfe]).unwrap();
    let missing = Setup::file("");
    std::fs::remove_file(missing.path()).unwrap();

    assert_says(&binary.problem(), &["uptime.toml: is UTF-16", "save the file as UTF-8"]);
    assert_says(&missing.problem(), &["uptime.toml: cannot be read"]);
}

#[test]
fn control_characters_and_endless_values_are_shown_escaped_and_shortened() {
    let control = problem("[worker]\nname = \"a\\u001b[31m\"");
    let endless = problem(&format!("[scheduler]\ntick = \"{}\"", "x".repeat(100_000)));

    assert!(!control.contains('\u{1b}'), "{control:?}");
    assert_says(&control, &["control character"]);
    assert_says(&endless, &["(100000 characters)"]);
    for text in [
        format!("[scheduler]\ntick = \"1{}\"", "x".repeat(100_000)),
        format!("[scheduler]\n\"tick\\u001b{}\" = 1", "x".repeat(100_000)),
        format!("[checker]\ndns = [\"{}\"]", "x".repeat(100_000)),
        format!("[log]\nlevel = \"a={}\"", "x".repeat(100_000)),
        "x".repeat(100_000),
    ] {
        let problem = problem(&text);
        assert!(problem.len() < 1_500 && !problem.contains('\u{1b}'), "{problem:?}");
    }
}
