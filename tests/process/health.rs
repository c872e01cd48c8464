//! What a running process tells about itself.

use diesel::connection::SimpleConnection as _;
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::machine::Machine;
use crate::process::Process;
use crate::waiting::{DEADLINE, eventually, within};

/// A port that was free a moment ago.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn a_process_that_works_says_so_and_tells_how_it_is() {
    let machine = Machine::new().with("web.listen", &free_address());
    machine.import_load();
    let monitor = machine.start();
    machine.records_more(300);

    eventually("it is ready", || machine.cli("health").code == Some(0));
    assert_eq!(machine.cli("health").fine(), "ready: run\n");
    // A result is counted a little after it is stored, when its job has left the queue.
    let report = within(DEADLINE, "it has counted what is stored", || {
        let report: Value = serde_json::from_str(&machine.cli("health --json").fine()).unwrap();
        (report["results"]["up"].as_u64().unwrap() >= 300).then_some(report)
    });

    assert_eq!((&report["ready"], &report["role"]), (&true.into(), &"run".into()));
    assert!(report["queue"]["jobs"].is_u64() && report["database"]["ok"] == true, "{report}");
    let actors: Vec<&str> =
        report["actors"].as_array().unwrap().iter().filter_map(|actor| actor["name"].as_str()).collect();
    for actor in ["scheduler", "claimer", "checker-0", "publisher", "persister", "web"] {
        assert!(actors.contains(&actor), "{report}");
    }
    monitor.kill();
}

#[test]
fn while_another_program_holds_the_right_to_write_it_still_counts_and_says_which_work_fails() {
    let machine = Machine::new().with("web.listen", &free_address());
    machine.import_load();
    let monitor = machine.start();
    machine.records_more(300);
    let mut other = machine.connect();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();

    let report = within(DEADLINE, "ticks fail", || {
        let done = machine.cli("health --json");
        let report: Value = serde_json::from_str(&done.out).unwrap();
        assert_eq!(report["database"]["ok"], true, "{report}");
        (!report["failing"]["ticks"].is_null()).then_some((done.code, report))
    });
    other.batch_execute("ROLLBACK").unwrap();

    let (code, report) = report;
    assert_eq!((code, &report["ready"]), (Some(1), &false.into()));
    assert!(report["queue"]["jobs"].is_u64(), "{report}");
    eventually("it is ready again", || machine.cli("health").code == Some(0));
    monitor.kill();
}

#[test]
fn a_process_that_is_about_to_end_is_not_ready_any_more() {
    let machine =
        Machine::new().with("web.listen", &free_address()).with("supervisor.shutdown_timeout", "5s");
    machine.write("uptime.toml", &machine.daily(1, "/hang"));
    let monitor = machine.start();
    eventually("it hangs", || machine.target.requests() >= 1);

    monitor.signal(Signal::SIGTERM);

    eventually("it says so", || machine.cli("health").out == "not ready: stopping\n");
    assert_eq!(monitor.ends().code, Some(0));
}

#[test]
fn without_a_process_or_an_address_it_says_what_is_missing() {
    let machine = Machine::new();
    let nowhere = format!("health --url http://{}", free_address());

    assert!(machine.cli("health").refused(2).contains("web.listen"));
    assert!(machine.cli(&nowhere).refused(3).contains("is it running"));
}

#[test]
fn an_address_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let machine = Machine::new().with("web.listen", &address);

    let error = Process::spawn(&mut machine.command("run")).ends().refused(3);

    assert!(error.contains(&address) && error.contains("choose another"), "{error}");
}
