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
