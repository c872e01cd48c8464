//! Sites that change while `run` is at work.

use nix::sys::signal::Signal;

use crate::machine::Machine;
use crate::waiting::eventually;

/// A change takes effect within this time.
const AT_ONCE_US: i64 = 2_000_000;

/// With the product's own polling, which decides how soon a change is seen.
fn machine() -> Machine {
    let machine = Machine::new().with("worker.poll", "1s");
    machine.import_load();
    machine
}

/// How many results `site` has of checks that began after `since_us`, and when the first of them began.
fn first_check(machine: &Machine, site: &str, since_us: i64) -> i64 {
    machine.number(&format!(
        "SELECT coalesce(min(started_at_us), 0) AS number FROM ping_status JOIN site_config ON id = site_id
         WHERE name = '{site}' AND started_at_us > {since_us}"
    ))
}

fn assert_checked_at_once(machine: &Machine, site: &str, since_us: i64) {
    eventually(&format!("{site} is checked"), || first_check(machine, site, since_us) > 0);
    let after_us = first_check(machine, site, since_us) - since_us;
    assert!(after_us < AT_ONCE_US, "{site} was checked after {after_us} µs");
}

fn now_us() -> i64 {
    uptime_monitor::clock::Clock::system().now().timestamp_micros()
}

fn site(machine: &Machine, name: &str) -> String {
    format!("[[site]]\nname = \"{name}\"\nurl = \"{}\"\nevery = \"1m\"\n", machine.target.url("/"))
}

#[test]
fn sighup_takes_a_new_site_from_the_file_and_a_broken_file_changes_nothing() {
    let machine = machine();
    let (old, new) = (site(&machine, "old"), site(&machine, "new"));
    machine.write("uptime.toml", &old);
    let monitor = machine.start();
    eventually("the old site is checked", || first_check(&machine, "old", 0) > 0);

    machine.write("uptime.toml", &format!("{old}{new}"));
    let since = now_us();
    monitor.signal(Signal::SIGHUP);
    assert_checked_at_once(&machine, "new", since);

    machine.write("uptime.toml", &format!("{old}[[site]]\nname = \"bad\"\nurl = \"ftp://nowhere\"\n"));
    monitor.signal(Signal::SIGHUP);
    monitor.says("the old sites stay");
    assert!(monitor.err().contains("uptime.toml:"), "it says where: {}", monitor.err());
    let kept = "SELECT count(*) AS number FROM site_config WHERE origin = 'file' AND enabled";
    assert_eq!(machine.number(kept), 2);

    // As some editors leave it for a moment.
    machine.write("uptime.toml", "");
    monitor.signal(Signal::SIGHUP);
    monitor.says("is empty");
    assert_eq!(machine.number(kept), 2);

    machine.write("uptime.toml", &new);
    monitor.signal(Signal::SIGHUP);
    eventually("the old site is no longer watched", || machine.number(kept) == 1);
    machine.records_more(600);
    monitor.kill();
    machine.assert_nothing_lost(600);
}

#[test]
fn sites_are_added_paused_and_resumed_beside_a_run() {
    let machine = machine();
    let monitor = machine.start();
    machine.records_more(300);

    let since = now_us();
    machine.cli(&format!("sites add {} --name beside --every 1s", machine.target.url("/"))).fine();
    assert_checked_at_once(&machine, "beside", since);

    machine.cli("sites pause beside").fine();
    let paused = now_us();
    machine.records_more(1_000);
    let last_slot = "SELECT max(scheduled_at) AS number FROM ping_status JOIN site_config ON id = site_id WHERE name = 'beside'";
    assert!(machine.number(last_slot) <= paused / 1_000_000, "it is no longer checked");

    let since = now_us();
    machine.cli("sites resume beside").fine();
    assert_checked_at_once(&machine, "beside", since);
    machine.records_more(600);
    monitor.kill();
    machine.assert_nothing_lost(900);
}

fn change_at_random(machine: &Machine) {
    let changes = ["pause", "resume", "set --every 1s", "set --every 2s", "set --every 1m"];
    for _ in 0..20 {
        let (change, site) = (changes[fastrand::usize(..changes.len())], fastrand::u32(..5));
        machine.cli(&format!("sites {change} second-{site}")).fine();
    }
}

#[test]
fn sites_that_change_all_the_time_lose_no_slot() {
    let machine = machine();
    let monitor = machine.start();
    machine.records_more(300);

    change_at_random(&machine);
    monitor.kill();
    machine.assert_accounted();
    let monitor = machine.start();
    change_at_random(&machine);
    machine.import(3_000, "many", "/", "1h", "10s");
    machine.records_more(600);
    machine.assert_accounted();
    monitor.signal(Signal::SIGTERM);
    let done = monitor.ends();

    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(machine.number("SELECT count(*) AS number FROM ping_status WHERE status = 'down'"), 0);
    machine.assert_nothing_lost(900);
}
