//! SIGTERM and Ctrl-C: finish, give back, say so, and end in time.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use nix::sys::signal::Signal;

use crate::machine::Machine;
use crate::process::Process;
use crate::waiting::eventually;

/// `supervisor.shutdown_timeout` in these tests.
const LIMIT: Duration = Duration::from_secs(3);

fn machine() -> Machine {
    Machine::new().with("supervisor.shutdown_timeout", "3s")
}

fn stops_in_order_on(signal: Signal) {
    let machine = machine();
    machine.import_load();
    let monitor = machine.start();
    machine.records_more(600);

    monitor.signal(signal);
    let done = monitor.ends_within(LIMIT);

    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("stopped"), "{done:?}");
    assert_eq!(machine.leases(), 0, "{done:?}");
    machine.assert_nothing_lost(600);
    machine.assert_whole_seconds();
}

#[test]
fn sigterm_under_load_loses_nothing_and_leaves_no_lease() {
    stops_in_order_on(Signal::SIGTERM);
}

#[test]
fn ctrl_c_under_load_loses_nothing_and_leaves_no_lease() {
    stops_in_order_on(Signal::SIGINT);
}

#[test]
fn checks_that_hang_go_back_to_the_queue_and_are_run_at_the_next_start() {
    let machine = machine();
    machine.write("uptime.toml", &machine.daily(50, "/hang"));
    let monitor = machine.start();
    eventually("all hang", || machine.target.requests() >= 50);

    monitor.signal(Signal::SIGTERM);
    let done = monitor.ends_within(LIMIT);

    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("unfinished jobs are back in the queue"), "{done:?}");
    assert_eq!(machine.leases(), 0);
    assert!(machine.jobs() >= 50);

    machine.write("uptime.toml", &machine.daily(50, "/"));
    let monitor = machine.start();
    machine.records_more(50);
    monitor.kill();
    assert!(machine.number("SELECT count(*) AS number FROM ping_status WHERE status = 'up'") >= 50);
    machine.assert_nothing_lost(50);
}

#[test]
fn a_thousand_checks_that_hang_do_not_keep_it_from_ending_in_time() {
    let machine = machine();
    machine.import(1_000, "silent", "/hang", "10s", "9s");
    let monitor = machine.start();
    eventually("most hang", || machine.target.requests() >= 700);

    monitor.signal(Signal::SIGTERM);
    let done = monitor.ends_within(LIMIT);

    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(machine.leases(), 0, "{done:?}");
    assert!(machine.jobs() >= 700);
    machine.assert_accounted();
}

#[test]
fn a_second_signal_ends_it_at_once_and_the_next_start_recovers() {
    let machine = Machine::new().with("supervisor.shutdown_timeout", "1m");
    machine.import_load();
    machine.write("uptime.toml", &machine.daily(50, "/hang"));
    let monitor = machine.start();
    machine.records_more(600);
    assert!(machine.leases() >= 50);

    monitor.signal(Signal::SIGTERM);
    monitor.says("stopping");
    monitor.signal(Signal::SIGTERM);
    let done = monitor.ends_within(Duration::from_secs(2));

    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.err.contains("second signal"), "{done:?}");
    machine.assert_accounted();

    machine.write("uptime.toml", &machine.daily(50, "/"));
    let monitor = machine.start();
    assert!(monitor.err().contains("jobs that were in flight when the last run ended go back to the queue"));
    machine.records_more(600);
    monitor.kill();
    machine.assert_nothing_lost(1_200);
}

#[test]
fn sigterm_at_any_moment_of_the_start_ends_it_in_order() {
    let machine = machine();
    machine.import(2_000, "site", "/", "10s", "1s");

    for delay_ms in (0..400).step_by(40) {
        let monitor = Process::spawn(&mut machine.command("run"));
        // Not a wait for anything: the moment of the fault.
        std::thread::sleep(Duration::from_millis(delay_ms));
        monitor.signal(Signal::SIGTERM);
        let done = monitor.ends_within(LIMIT);

        // Before it listens, the system ends it, and nothing has begun.
        assert!(matches!(done.code, Some(0) | None), "after {delay_ms} ms: {done:?}");
        assert_eq!(machine.leases(), 0, "after {delay_ms} ms: {done:?}");
    }
    machine.assert_nothing_lost(0);
}

#[test]
fn sigterm_is_heard_while_a_start_waits_for_a_locked_database() {
    let machine = machine();
    machine.cli("migrate").fine();
    let mut other = machine.connect();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();

    let monitor = Process::spawn(&mut machine.command("run"));
    eventually("it has come to the database", || machine.path("uptime.db.lock").exists());
    monitor.signal(Signal::SIGTERM);

    assert_eq!(monitor.ends_within(LIMIT).code, Some(0));
}

#[test]
fn sigterm_is_heard_while_a_reload_waits_for_a_locked_database() {
    let machine = machine();
    machine.write("uptime.toml", &machine.daily(1, "/"));
    let monitor = machine.start();
    machine.records_more(1);

    let mut other = machine.connect();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    machine.write("uptime.toml", &machine.daily(2, "/"));
    monitor.signal(Signal::SIGHUP);
    // Not a wait for anything: the order to reload has come, and waits for some seconds.
    std::thread::sleep(Duration::from_millis(500));
    monitor.signal(Signal::SIGTERM);

    let done = monitor.ends_within(LIMIT);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(!done.err.contains("failed to reconcile"), "the reload was still waiting: {done:?}");
}
