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
