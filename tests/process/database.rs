//! A database that is taken, locked, or not what it should be.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;

use crate::machine::Machine;
use crate::process::Process;

#[test]
fn a_second_run_is_refused_and_the_first_goes_on() {
    let machine = Machine::new();
    machine.import_load();
    let monitor = machine.start();
    machine.records_more(100);

    let error = machine.cli("run").refused(3);

    assert!(error.contains("uptime.db is in use by another `uptime-monitor run`"), "{error}");
    machine.records_more(600);
    monitor.kill();
    machine.assert_nothing_lost(700);
}

#[test]
fn while_another_program_locks_the_database_it_waits_and_then_goes_on() {
    let machine = Machine::new();
    machine.import_load();
    let monitor = machine.start();
    machine.records_more(300);

    let mut other = machine.connect();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    monitor.says("locked");
    // Not a wait for anything: the fault lasts longer than one patience of SQLite's.
    std::thread::sleep(Duration::from_secs(3));
    other.batch_execute("ROLLBACK").unwrap();

    machine.records_more(1_000);
    assert!(!monitor.err().contains("actor restarts"), "a lock is no failure of an actor: {}", monitor.err());
    monitor.kill();
    machine.assert_nothing_lost(1_300);
    machine.assert_whole_seconds();
}

#[test]
fn locked_for_longer_than_an_actor_may_be_without_progress_it_restarts_nobody() {
    let machine = Machine::new().with("supervisor.stall", "8s");
    machine.import_load();
    let monitor = machine.start();
    machine.records_more(300);

    let mut other = machine.connect();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    // Not a wait for anything: the length of the fault.
    std::thread::sleep(Duration::from_secs(14));
    other.batch_execute("ROLLBACK").unwrap();

    machine.records_more(600);
    assert!(!monitor.err().contains("actor restarts"), "a lock is no failure of an actor: {}", monitor.err());
    monitor.kill();
    machine.assert_nothing_lost(900);
}

#[test]
fn a_command_waits_for_its_turn_while_another_program_writes() {
    let machine = Machine::new();
    machine.cli("migrate").fine();
    let mut other = machine.connect();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();

    let command = Process::spawn(&mut machine.command("sites add http://127.0.0.1:9/ --name patient"));
    // Not a wait for anything: the fault lasts longer than the patience of a `run`.
    std::thread::sleep(Duration::from_secs(7));
    other.batch_execute("ROLLBACK").unwrap();

    command.ends().fine();
    assert_eq!(machine.number("SELECT count(*) AS number FROM site_config"), 1);
}

#[test]
fn stopped_while_the_database_is_locked_it_still_ends_in_time_and_the_next_start_recovers() {
    let machine = Machine::new().with("supervisor.shutdown_timeout", "3s");
    machine.import_load();
    let monitor = machine.start();
    machine.records_more(300);

    let mut other = machine.connect();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    monitor.signal(nix::sys::signal::Signal::SIGTERM);
    let done = monitor.ends_within(Duration::from_secs(3));
    other.batch_execute("ROLLBACK").unwrap();

    assert_eq!(done.code, Some(0), "{done:?}");
    machine.assert_accounted();
    let monitor = machine.start();
    machine.records_more(600);
    monitor.kill();
    machine.assert_nothing_lost(900);
    machine.assert_whole_seconds();
}

#[test]
fn a_database_from_a_newer_version_is_refused_with_a_remedy() {
    let machine = Machine::new();
    machine.cli("migrate").fine();
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')";
    machine.connect().batch_execute(newer).unwrap();

    let error = machine.cli("run").refused(3);

    for part in ["uptime.db", "99990101000000", "start the newer version"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn an_empty_database_that_may_not_be_migrated_is_refused_with_a_remedy() {
    let machine = Machine::new().with("database.migrate", "false");

    let error = machine.cli("run").refused(3);

    for part in ["uptime.db", "uptime-monitor migrate", "database.migrate = true"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn a_file_that_is_no_database_is_refused_by_name() {
    let machine = Machine::new();
    machine.write("uptime.db", &"this is a text, and a long one at that. ".repeat(100));

    let error = machine.cli("run").refused(3);

    assert!(error.contains("uptime.db") && error.contains("not a database"), "{error}");
}
