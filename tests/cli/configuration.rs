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
fn a_log_filter_from_the_configuration_does_not_make_one_off_commands_talk() {
    let desk = Desk::with_sites(&["shop"]);
    let list = ["sites", "list"];

    let quiet = desk.run_with(&list, &[("UPTIME__LOG__LEVEL", "trace")], "");
    let json = desk.run_with(&list, &[("UPTIME__LOG__FORMAT", "json")], "");

    assert_eq!((quiet.err.as_str(), json.err.as_str()), ("", ""));
}
