//! `config`, and sites that the configuration file declares.

use crate::support::Desk;

const SHOP: &str = "[[site]]\nname = \"shop\"\nurl = \"https://shop.example/\"\n";

#[test]
fn config_check_tells_every_problem_at_once() {
    let desk = Desk::new();
    desk.write("uptime.toml", "[worker]\nlease = 5\n\n[log]\nformat = \"yaml\"\n");

    let error = desk.say("config check").refused(2);

    assert!(error.contains("uptime.toml:2") && error.contains("uptime.toml:5"), "{error}");
}

#[test]
fn config_check_needs_no_database() {
    let desk = Desk::new();
    desk.write("uptime.toml", SHOP);

    assert_eq!(desk.say("config check").fine(), "configuration is valid: 1 site (uptime.toml)\n");
    assert!(!desk.path("uptime.db").exists());
}

#[test]
fn config_show_tells_values_and_where_they_came_from() {
    let desk = Desk::new();

    let shown = desk.say("--log debug config show --json").json();

    assert_eq!(shown["database"]["url"]["value"], "sqlite://uptime.db");
    assert_eq!(shown["database"]["url"]["from"], "environment variable UPTIME__DATABASE__URL");
    assert_eq!(shown["log"]["level"]["value"], "debug");
    assert_eq!(shown["worker"]["lease"]["from"], "default");
}

#[test]
fn what_config_show_prints_is_a_valid_configuration() {
    let desk = Desk::new();
    desk.write("shown.toml", &desk.say("config show").fine());

    desk.say("-c shown.toml config check").fine();
}

#[test]
fn a_site_of_the_file_is_not_added_by_command_even_before_the_first_start() {
    let desk = Desk::new();
    desk.write("uptime.toml", SHOP);

    let error = desk.say("sites add https://other.example/ --name shop").refused(2);

    assert!(error.contains("\"shop\" is declared in the configuration file; change it there"), "{error}");
}

#[test]
fn a_site_of_the_file_is_changed_in_the_file_only() {
    let desk = Desk::with_sites(&["shop", "blog"]);
    desk.sql("UPDATE site_config SET origin = 'file' WHERE name = 'shop'");

    for command in
        ["sites set shop --every 5m", "sites pause blog shop", "sites resume shop", "sites remove shop blog"]
    {
        let error = desk.say(command).refused(2);
        assert!(error.contains("\"shop\" is declared in the configuration file"), "{error}");
    }

    let sites = desk.say("sites list --json").json();
    assert_eq!((&sites[0]["name"], &sites[0]["enabled"]), (&"blog".into(), &true.into()));
    assert_eq!(sites[1]["origin"], "file");
}

#[test]
fn one_off_commands_log_warnings_whatever_the_level_of_run_is_unless_told_otherwise() {
    let desk = Desk::with_sites(&["shop"]);
    desk.sql("UPDATE scheduler_state SET pruned_before = 4000000000");
    let logged = |arguments: &[&str], env: &[(&str, &str)]| desk.run_with(arguments, env, "").err;

    let warned = logged(&["audit"], &[("UPTIME__LOG__LEVEL", "off")]);
    let told_otherwise = logged(&["--log", "error", "audit"], &[("RUST_LOG", "trace")]);
    let by_variable = logged(&["audit"], &[("RUST_LOG", "error")]);

    assert!(warned.contains("Z WARN  earlier results have been deleted"), "{warned}");
    assert!(warned.ends_with(" from=2096-10-02T07:06:40Z\n"), "{warned}");
    assert_eq!((told_otherwise.as_str(), by_variable.as_str()), ("", ""));
}

#[test]
fn a_log_for_machines_has_one_object_per_line() {
    let desk = Desk::with_sites(&["shop"]);
    desk.sql("UPDATE scheduler_state SET pruned_before = 4000000000");

    let done = desk.run_with(&["audit"], &[("UPTIME__LOG__FORMAT", "json")], "");

    let line: serde_json::Value = serde_json::from_str(&done.err).unwrap();
    assert_eq!([&line["level"], &line["from"]], ["warn", "2096-10-02T07:06:40Z"]);
    assert_eq!(line["target"], "uptime_monitor::cli::audit");
}

/// A site that was declared in a file which another process has read, and then was not any more.
fn left_behind(names: &[&str]) -> Desk {
    let desk = Desk::with_sites(names);
    desk.sql("UPDATE site_config SET origin = 'file', enabled = 0, left_file_at = 1");
    desk
}

#[test]
fn a_site_that_has_left_the_file_is_for_commands_to_change() {
    let desk = left_behind(&["a", "b", "c", "d"]);
    let site = |name: &str| desk.say(&format!("sites show {name} --json")).json();

    assert!(desk.say("sites list").fine().contains("left file"));
    assert_eq!(site("a")["origin"], "left");
    assert!(desk.say("sites show a").fine().contains("in the configuration file, which it has left"));

    desk.say("sites resume a").fine();
    desk.say("sites set b --every 5m").fine();
    desk.say("sites add https://new.example/ --name c --every 30s").fine();
    desk.say("sites remove d").fine();

    assert_eq!((&site("a")["origin"], &site("a")["enabled"]), (&"command".into(), &true.into()));
    assert_eq!((&site("b")["origin"], &site("b")["enabled"]), (&"command".into(), &false.into()));
    assert_eq!((&site("c")["id"], &site("c")["every"]), (&3.into(), &"30s".into()));
    assert_eq!(desk.names(), ["a", "b", "c"]);
}

#[test]
fn an_import_takes_over_what_has_left_the_file() {
    let desk = left_behind(&["a", "b"]);
    desk.write("sites.csv", "name,url\na,https://a.example/\nc,https://c.example/\n");

    let told = desk.say("sites import sites.csv").fine();

    assert!(told.starts_with("imported 2 sites (added 1, changed 1, unchanged 0)"), "{told}");
    assert_eq!(desk.say("sites show a --json").json()["enabled"], true);
}

#[test]
fn a_site_that_was_put_back_into_the_file_is_the_files_again() {
    let desk = left_behind(&["shop"]);
    desk.write("uptime.toml", SHOP);

    for command in [
        "sites resume shop",
        "sites set shop --every 5m",
        "sites remove shop",
        "sites add https://shop.example/ --name shop",
    ] {
        let error = desk.say(command).refused(2);
        assert!(error.contains("\"shop\" is declared in the configuration file"), "{error}");
    }
}

#[test]
fn config_show_writes_a_new_file_with_the_sites_and_without_secrets() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("config")).unwrap();
    let site = format!("{SHOP}request.bearer_token = \"hunter2\"\n");
    desk.write("config/uptime.toml", &format!("[worker]\nname = \"w1\"\n{site}"));

    desk.say("config show --output new.toml").fine();

    let shown = desk.read("new.toml");
    assert!(shown.contains("name = \"w1\"") && shown.contains("name = \"shop\""), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let again = desk.say("config show --output new.toml").refused(2);
    assert!(again.contains("new.toml exists already"), "{again}");
    let incomplete = desk.say("-c new.toml config check").refused(2);
    assert!(incomplete.contains("request.bearer_token") && incomplete.contains("***"), "{incomplete}");
}

/// A shell makes the file of `> uptime.toml` before the program begins.
#[test]
fn config_show_writes_nothing_into_the_file_that_it_should_have_read() {
    let desk = Desk::new();
    desk.write("uptime.toml", "");
    let variable = [("UPTIME_CONFIG", "uptime.toml")];

    for done in [
        desk.say("config show"),
        desk.say("config show --output new.toml"),
        desk.say("-c uptime.toml config show"),
        desk.run_with(&["config", "show"], &variable, ""),
    ] {
        let error = done.refused(2);
        assert!(error.contains("uptime.toml is empty") && error.contains("--output"), "{error}");
    }

    std::fs::create_dir(desk.path("config")).unwrap();
    desk.write("config/uptime.toml", SHOP);
    desk.say("config show").refused(2);
    desk.say("config check").fine();
    desk.say("-c /dev/null config show").fine();
}

#[test]
fn an_emptied_file_disables_no_site_that_it_has_declared() {
    let desk = Desk::with_sites(&["a", "b"]);
    desk.sql("UPDATE site_config SET origin = 'file'");
    desk.write("uptime.toml", "");

    let error = desk.say("run").refused(2);

    assert!(
        error.contains("uptime.toml is empty, and 2 sites that it declared would be disabled"),
        "{error}"
    );
    assert_eq!(desk.say("sites show a --json").json()["enabled"], true);
}

#[test]
fn an_import_takes_over_what_has_left_the_file_as_it_is() {
    let desk = left_behind(&["a"]);
    desk.say("sites export sites.toml").fine();

    let told = desk.say("sites import sites.toml").fine();

    assert!(told.starts_with("imported 1 site (added 0, changed 1, unchanged 0)"), "{told}");
    let site = desk.say("sites show a --json").json();
    assert_eq!((&site["origin"], &site["enabled"]), (&"command".into(), &false.into()));
}

#[test]
fn config_show_tells_of_what_is_hidden_only_where_something_is() {
    let desk = Desk::new();

    assert_eq!(desk.say("config show --output new.toml").fine(), "written to new.toml\n");
    let secret = [("UPTIME__RESULT_LOG__KAFKA__PASSWORD", "hunter2")];
    let told = desk.run_with(&["config", "show", "--output", "secret.toml"], &secret, "").fine();
    assert_eq!(told, "written to secret.toml; what is shown as *** there has to be filled in\n");
}

#[test]
fn a_dash_is_stdout_for_config_show_too() {
    let desk = Desk::new();

    assert_eq!(desk.say("config show -o -").fine(), desk.say("config show").fine());
    assert!(!desk.path("-").exists());
}
