//! `kill -9`: nothing is said, nothing is finished, and yet nothing is lost.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::machine::Machine;
use crate::waiting::eventually;

#[test]
fn killed_ten_times_at_work_it_loses_nothing() {
    // Results wait for company that long, so that most kills find some on their way.
    let machine = Machine::new().with("persister.linger", "500ms");
    machine.import_load();

    for _ in 0..10 {
        let monitor = machine.start();
        machine.records_more(100);
        // Not a wait for anything: the moment of the fault.
        std::thread::sleep(Duration::from_millis(fastrand::u64(..800)));
        monitor.kill();
        machine.assert_accounted();
    }

    let monitor = machine.start();
    machine.records_more(600);
    machine.assert_accounted();
    monitor.kill();
    machine.assert_nothing_lost(1_600);
    machine.assert_whole_seconds();
}

#[test]
fn killed_while_checks_hang_it_runs_them_again_at_the_next_start() {
    let machine = Machine::new();
    machine.write("uptime.toml", &machine.daily(50, "/hang"));
    let monitor = machine.start();
    eventually("all hang", || machine.target.requests() >= 50);
    monitor.kill();
    assert_eq!(machine.leases(), 50);

    machine.write("uptime.toml", &machine.daily(50, "/"));
    let monitor = machine.start();
    machine.records_more(50);
    monitor.kill();

    let again = "SELECT count(*) AS number FROM ping_status WHERE attempt = 2 AND status = 'up'";
    assert_eq!(machine.number(again), 50);
    machine.assert_nothing_lost(50);
}

#[test]
fn a_machine_that_was_asleep_goes_on_without_a_restart() {
    let machine = Machine::new().with("supervisor.hang_timeout", "2s");
    machine.import_load();
    let monitor = machine.start();
    machine.records_more(300);

    monitor.signal(Signal::SIGSTOP);
    // Not a wait for anything: the fault lasts longer than a silent actor is borne.
    std::thread::sleep(Duration::from_secs(5));
    monitor.signal(Signal::SIGCONT);

    machine.records_more(600);
    assert!(!monitor.err().contains("actor restarts"), "nobody hung: {}", monitor.err());
    monitor.kill();
    machine.assert_nothing_lost(900);
    machine.assert_whole_seconds();
}
