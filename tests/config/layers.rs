//! Which value wins, where it came from, and what it may refer to.

use std::path::Path;
use std::time::Duration;

use uptime_monitor::config::{Origin, Sources, find_file_in, load};

use crate::{Setup, assert_says};

#[test]
fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
    let file = || Setup::file("[persister]\nbatch = 2");
    let env = || file().env("UPTIME__PERSISTER__BATCH", "3");

    assert_eq!(Setup::file("").config().persister.batch, 5_000);
    assert_eq!(file().config().persister.batch, 2);
    assert_eq!(env().config().persister.batch, 3);
    assert_eq!(env().flag("persister.batch", "4").config().persister.batch, 4);
}

#[test]
fn the_origin_of_every_value_is_kept() {
    let setup = Setup::file("\n[persister]\nbatch = 2\n")
        .env("UPTIME__DATABASE__MIGRATE", "false")
        .flag("log.level", "debug");
    let loaded = setup.load().unwrap();
    let origin = |key: &str| loaded.origins.iter().find(|entry| entry.key == key).unwrap().origin.clone();

    assert_eq!(origin("scheduler.tick"), Origin::Default);
    assert_eq!(origin("persister.batch"), Origin::File(setup.path().into(), 3));
    assert_eq!(origin("database.migrate"), Origin::Env("UPTIME__DATABASE__MIGRATE".into()));
    assert_eq!(origin("log.level"), Origin::Flag("log.level".into()));
}

#[test]
fn the_environment_can_hold_every_type() {
    let config = Setup::file("")
        .env("UPTIME__DATABASE__URL", "sqlite:///var/lib/uptime.db")
        .env("UPTIME__DATABASE__MIGRATE", "false")
        .env("UPTIME__WORKER__THREADS", "4")
        .env("UPTIME__CHECKER__BODY_LIMIT", "64KiB")
        .env("UPTIME__CHECKER__TIMEOUT", "1m30s")
        .env("UPTIME__CHECKER__DENY_TARGETS", "10.0.0.0/8, non-public")
        .env("UPTIME__CHECKER__DNS", "9.9.9.9:53,[2620:fe::fe]:53")
        .config();

    assert_eq!(config.database.sqlite_path(), Some(Path::new("/var/lib/uptime.db")));
    assert!(!config.database.migrate);
    assert_eq!(config.worker.threads, 4);
    assert_eq!(config.checker.body_limit, 65_536);
    assert_eq!(config.checker.timeout, Duration::from_secs(90));
    assert_eq!(config.checker.deny_targets, ["10.0.0.0/8", "non-public"]);
    assert_eq!(config.checker.dns.len(), 2);
}

#[test]
fn an_empty_list_in_the_environment_is_an_empty_list() {
    let config = Setup::file("").env("UPTIME__CHECKER__DENY_TARGETS", "").config();

    assert!(config.checker.deny_targets.is_empty());
}

#[test]
fn variables_of_others_are_no_business_of_ours() {
    Setup::file("")
        .env("UPTIME_CONFIG", "x")
        .env("UPTIME_SERVICE_HOST", "10.0.0.1")
        .env("PATH", "/bin")
        .config();
}

#[test]
fn a_string_may_hold_variables() {
    let setup =
        Setup::file("[worker]\nname = \"w-${POD}-${ZONE}\"\nthreads = \"${THREADS}\"\nregion = \"${ZONE}\"\n[checker]\nuser_agent = \"$${POD}\"")
            .env("POD", "7")
            .env("ZONE", "eu")
            .env("THREADS", "3");
    let config = setup.config();
    let worker = config.worker;

    assert_eq!(worker.name, "w-7-eu");
    assert_eq!(worker.threads, 3);
    assert_eq!(worker.region.as_str(), "eu");
    assert_eq!(config.checker.user_agent, "${POD}");
}

#[test]
fn an_unset_variable_is_a_problem_that_names_key_and_variable() {
    let problem = Setup::file("[worker]\nname = \"${POD}\"").problem();

    assert_says(
        &problem,
        &["uptime.toml:2: ", "worker.name = \"${POD}\"", "variable POD is not set", "set POD"],
    );
}

#[test]
fn a_reference_that_is_not_closed_or_names_nothing_is_a_problem() {
    for text in ["${POD", "${}", "${a b}"] {
        let problem = Setup::file(&format!("[worker]\nname = '{text}'")).problem();
        assert_says(&problem, &["worker.name", "${NAME}", "$${"]);
    }
}

#[test]
fn what_is_overridden_may_refer_to_what_is_not_there() {
    let setup = Setup::file("[worker]\nname = \"${POD}\"\nregion_file = \"missing\"")
        .env("UPTIME__WORKER__NAME", "w")
        .flag("worker.region", "eu");

    assert_eq!(setup.config().worker.name, "w");
}

#[test]
fn the_environment_is_taken_literally() {
    let config = Setup::file("").env("UPTIME__WORKER__NAME", "a${b}").config();

    assert_eq!(config.worker.name, "a${b}");
}

#[test]
fn a_key_can_be_read_from_a_file_beside_the_configuration() {
    let setup = Setup::file("[database]\nurl_file = \"url\"").beside("url", "sqlite://secret.db\r\n");

    assert_eq!(setup.config().database.url, "sqlite://secret.db");
}

#[test]
fn the_environment_can_name_a_file_too() {
    let setup = Setup::file("[database]\nurl = \"sqlite://a.db\"").beside("url", "sqlite://b.db\n");
    let path = setup.folder.path().join("url").display().to_string();

    assert_eq!(setup.env("UPTIME__DATABASE__URL_FILE", &path).config().database.url, "sqlite://b.db");
}

#[test]
fn a_missing_value_file_is_a_problem() {
    let problem = Setup::file("[database]\nurl_file = \"nowhere\"").problem();

    assert_says(&problem, &["uptime.toml:2: ", "database.url_file = \"nowhere\"", "cannot read the file"]);
}

#[test]
fn a_key_and_its_file_exclude_each_other() {
    let problem = Setup::file("[database]\nurl_file = \"url\"\nurl = \"sqlite://a.db\"").problem();

    assert_says(
        &problem,
        &["uptime.toml:3: ", "database.url", "stands beside database.url_file", "keep one"],
    );
}

#[test]
fn only_strings_can_be_read_from_a_file() {
    assert_says(&crate::problem("[worker]\nthreads_file = \"x\""), &["unknown key", "worker.threads"]);
}

#[test]
fn what_a_value_file_holds_is_not_shown() {
    let problem = Setup::file("[database]\nurl_file = \"url\"").beside("url", "hunter2").problem();

    assert!(!problem.contains("hunter2"), "{problem}");
}

#[test]
fn a_named_file_beats_the_variable_which_beats_the_usual_places() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str| std::fs::write(folder.path().join(name), "\n").unwrap();
    let env = [("UPTIME_CONFIG".to_owned(), "variable.toml".to_owned())];
    let find = |explicit: Option<&str>, env: &[(String, String)]| {
        let found = find_file_in(folder.path(), explicit.map(Path::new), env).unwrap()?;
        Some(found.strip_prefix(folder.path()).unwrap().display().to_string())
    };
    std::fs::create_dir(folder.path().join("config")).unwrap();

    assert_eq!(find(None, &[]), None);
    put("config/uptime.toml");
    assert_eq!(find(None, &[]).unwrap(), "config/uptime.toml");
    put("uptime.toml");
    assert_eq!(find(None, &[]).unwrap(), "uptime.toml");
    put("variable.toml");
    assert_eq!(find(None, &env).unwrap(), "variable.toml");
    put("flag.toml");
    assert_eq!(find(Some("flag.toml"), &env).unwrap(), "flag.toml");
}

#[test]
fn a_named_file_that_is_missing_is_a_problem() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("UPTIME_CONFIG".to_owned(), "gone.toml".to_owned())];

    let by_flag = find_file_in(folder.path(), Some(Path::new("no.toml")), &[]).unwrap_err().to_string();
    let by_env = find_file_in(folder.path(), None, &env).unwrap_err().to_string();

    assert_says(&by_flag, &["-c", "no.toml", "there is no file"]);
    assert_says(&by_env, &["UPTIME_CONFIG", "gone.toml"]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let setup = Setup::file("\u{feff}[worker]\r\nname = \"w\"\r\nthreads = 2\r\n");
    let loaded = setup.load().unwrap();

    assert_eq!(loaded.config.worker.threads, 2);
    let threads = loaded.origins.iter().find(|entry| entry.key == "worker.threads").unwrap();
    assert_eq!(threads.origin, Origin::File(setup.path().into(), 3));
}

#[test]
fn a_file_without_a_byte_is_known_for_one() {
    let emptied = |text: &str| Setup::file("").beside("uptime.toml", text).load().unwrap().emptied;

    assert!(emptied(""));
    assert!(!emptied("\n") && !emptied("# No site."));
}

#[test]
fn a_device_may_have_nothing_to_say() {
    let sources = Sources { file: Some("/dev/null".into()), ..Sources::default() };

    let loaded = load(sources).unwrap();
    assert!(loaded.sites.is_empty() && !loaded.emptied);
}
