//! What opens doors is in no file for others, and on no screen.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Desk;

#[test]
fn the_database_and_its_folder_are_for_their_owner_alone() {
    let desk = Desk::new();
    let database = [("UPTIME__DATABASE__URL", "sqlite://new/deep/uptime.db")];

    let added = desk.run_with(&["sites", "add", "https://a.example/"], &database, "");

    added.fine();
    for name in ["new", "new/deep", "new/deep/uptime.db"] {
        let mode = std::fs::metadata(desk.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name} {mode:o}");
    }
}

#[test]
fn secrets_in_urls_are_shown_nowhere_but_in_exports() {
    let desk = Desk::new();
    let import = "name,url\nshop,https://shop.example/?token=t0ps3cret&page=2\n";
    desk.run_with(&["sites", "import", "-", "--format", "csv"], &[], import).fine();

    for command in [
        "sites list",
        "sites list --json",
        "sites show shop",
        "sites show shop --json",
        "report",
        "report --format json",
        "report --format csv",
    ] {
        let shown = desk.say(command).fine();
        assert!(!shown.contains("t0ps3cret"), "{command}: {shown}");
    }
    assert!(desk.say("sites list --json").fine().contains("https://shop.example/?token=***&page=2"));
    assert!(desk.say("sites export --format csv").fine().contains("t0ps3cret"));
}

#[test]
fn a_check_sends_the_secrets_of_its_url_and_shows_none() {
    let desk = Desk::new();
    let url = format!("{}?token=t0ps3cret", Desk::server("302 Found\r\nLocation: /health?token=t0ps3cret"));

    let done = desk.run(&["check", &url, "--no-follow", "--json", "--retries", "0"]);

    let result: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert!(!done.out.contains("t0ps3cret"), "{}", done.out);
    assert!(result["url"].as_str().unwrap().ends_with("/health?token=***"), "{result}");
    assert!(result["final_url"].as_str().unwrap().ends_with("/health?token=***"), "{result}");
}

#[test]
fn a_row_that_cannot_be_read_shows_none_of_its_values() {
    let desk = Desk::with_sites(&["shop"]);
    for row in [
        r#"settings = '{"request":{"basic_auth":"hunter2"}}'"#,
        r#"settings = '{"tls":{"min_version":"hunter2"}}'"#,
        r#"settings = '{"expect":{"status":["hunter2"]}}'"#,
        r#"tags = '"hunter2"'"#,
    ] {
        desk.sql(&format!(
            "UPDATE site_config SET settings = NULL, tags = '[]'; UPDATE site_config SET {row}"
        ));
        for command in [
            "sites list",
            "sites list --json",
            "sites show shop",
            "sites set shop --every 5m",
            "sites export",
        ] {
            let told = desk.say(command);
            assert!(!format!("{told:?}").contains("hunter2"), "{row}: {told:?}");
            assert!(format!("{told:?}").contains("of another kind than expected"), "{row}: {told:?}");
        }
    }
}

#[test]
fn health_tells_no_password_of_its_url() {
    let desk = Desk::new();

    let refused = desk.say("health --url https://a:hunter2@h/").refused(2);
    let silent = desk.say("health --url http://a:hunter2@127.0.0.1:1").refused(3);

    assert!(refused.contains("a:***@h") && silent.contains("a:***@127.0.0.1:1"), "{refused}{silent}");
    assert!(!refused.contains("hunter2") && !silent.contains("hunter2"), "{refused}{silent}");
}
