//! More sites than there are means: slower, and never wrong.

use crate::machine::{BINARY, Machine};
use crate::process::Process;

fn rows(machine: &Machine, name: &str, status: &str) -> i64 {
    machine.number(&format!(
        "SELECT count(*) AS number FROM ping_status JOIN site_config ON id = site_id
         WHERE name LIKE '{name}-%' AND status = '{status}'"
    ))
}

#[test]
fn with_few_file_descriptors_checks_are_slower_and_never_down() {
    // As on a large machine, where each thread takes descriptors, too.
    let machine = Machine::new().with("worker.threads", "32");
    machine.import(1_000, "site", "/slow/100", "2s", "1500ms");
    let few = "ulimit -n 256; exec \"$0\" \"$@\"";

    let monitor = Process::spawn(&mut machine.prepared("sh", &["-c", few, BINARY, "run"]));
    monitor.says("the limit on open files allows fewer checks at once");
    machine.records_more(4_000);

    assert_eq!((rows(&machine, "site", "down"), rows(&machine, "site", "unknown")), (0, 0));
    monitor.kill();
    machine.assert_nothing_lost(4_000);
}

#[test]
fn sites_that_never_answer_neither_take_others_down_nor_delay_them() {
    let machine = Machine::new();
    machine.import(900, "well", "/", "2s", "1500ms");
    machine.import(100, "silent", "/hang", "2s", "1500ms");

    let monitor = machine.start();
    machine.records_more(5_000);
    monitor.kill();

    assert_eq!((rows(&machine, "well", "down"), rows(&machine, "silent", "up")), (0, 0));
    assert!(rows(&machine, "silent", "down") > 100);
    let lag_p99_us = "WITH lag AS (
          SELECT started_at_us - scheduled_at * 1000000 AS us FROM ping_status JOIN site_config ON id = site_id
          WHERE name LIKE 'well-%' AND status = 'up')
        SELECT us AS number FROM lag ORDER BY us LIMIT 1 OFFSET (SELECT count(*) * 99 / 100 FROM lag)";
    let lag_p99_us = machine.number(lag_p99_us);
    assert!(lag_p99_us < 1_000_000, "p99 of the lag: {lag_p99_us} µs");
    machine.assert_nothing_lost(4_000);
}
