//! `check`, against a server of our own.

use serde_json::{Value, json};

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
fn a_site_that_nothing_knows_needs_a_database_to_be_looked_up_in() {
    assert!(Desk::new().say("check --site shop").refused(3).contains("there is no database"));
}
