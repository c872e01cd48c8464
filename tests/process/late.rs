//! Late slots: however many there are, what can still be checked is checked, with the settings that are shipped.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use nix::sys::signal::Signal;

use crate::machine::Machine;
use crate::waiting::{DEADLINE, within};

/// Slots that are due each second.
const SECONDLY: usize = 1_000;

/// Fresh slots are checked again after so many seconds.
const RECOVERY_S: i64 = 5;

/// What became of the slots of three seconds.
#[derive(Debug)]
struct Seconds {
    checked: i64,
    lag_p99_ms: i64,
}

fn machine() -> Machine {
    let machine = Machine::shipped();
    machine.import(SECONDLY, "second", "/", "1s", "900ms");
    machine
}

/// Waits until the checks of the slots of `from` and the two seconds after it have ended.
fn three_seconds(machine: &Machine, from: i64) -> Seconds {
    let slots = format!("FROM ping_status WHERE scheduled_at BETWEEN {from} AND {from} + 2");
    within(DEADLINE, "the checks of these slots end", || (now_s(machine) >= from + 7).then_some(()));
    let checked = machine.number(&format!("SELECT count(*) AS number {slots} AND status = 'up'"));
    let lag_p99_ms = machine.number(&format!(
        "SELECT coalesce(max(ms), 0) AS number FROM (
           SELECT started_at_us / 1000 - scheduled_at * 1000 AS ms {slots} AND status = 'up'
           ORDER BY ms LIMIT {checked} * 99 / 100)"
    ));
    Seconds { checked, lag_p99_ms }
}

fn now_s(machine: &Machine) -> i64 {
    machine.number("SELECT unixepoch() AS number")
}

/// Starving, it would check nothing at all, and what it checked would be old. A machine that is busy with other tests checks what
/// it can, later than one that has nothing else to do: how late is a figure for docs/OPERATIONS.md and not for here.
fn assert_recovered(seconds: &Seconds) {
    let due = 3 * SECONDLY as i64;
    assert!(seconds.checked * 20 >= due, "{seconds:?}");
    assert!(seconds.lag_p99_ms < 1_000 * RECOVERY_S, "{seconds:?}");
}

#[test]
fn stopped_for_five_seconds_under_load_it_goes_on_checking() {
    let machine = machine();
    let monitor = machine.start();
    machine.records_more(2 * SECONDLY as i64);

    monitor.signal(Signal::SIGSTOP);
    // Not a wait for anything: the length of the fault.
    std::thread::sleep(Duration::from_secs(5));
    monitor.signal(Signal::SIGCONT);
    let seconds = three_seconds(&machine, now_s(&machine) + RECOVERY_S);

    assert_recovered(&seconds);
    assert!(!monitor.err().contains("actor restarts"), "nobody hung: {}", monitor.err());
    monitor.kill();
    machine.assert_nothing_lost(8 * SECONDLY as u64);
}

#[test]
fn a_queue_full_of_late_jobs_of_an_older_version_holds_nothing_up() {
    let machine = machine();
    // As it was found: 45,500 jobs, none of which can be checked any more.
    let queue = "INSERT INTO job_queue (scheduled_at, site_id, visible_at)
        SELECT unixepoch() - 40 + second.value, site.id, unixepoch() - 40 + second.value
        FROM site_config AS site
        CROSS JOIN json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29]') AS second
        ORDER BY 1, 2;
      INSERT INTO scheduler_state (id, last_tick) VALUES (1, unixepoch() - 10) ON CONFLICT (id) DO UPDATE SET last_tick = excluded.last_tick";
    machine.connect().batch_execute(queue).unwrap();

    let monitor = machine.start();
    let seconds = three_seconds(&machine, now_s(&machine) + RECOVERY_S);

    assert_recovered(&seconds);
    monitor.kill();
    machine.assert_accounted();
}
