//! What the benches share: a target in a process of its own, ports without a database, meters, and a table.
#![allow(dead_code, unreachable_pub, reason = "each bench uses a part of it")]
#![allow(clippy::print_stderr, reason = "a bench says why it ends")]

pub mod meter;
pub mod names;
pub mod ports;
pub mod table;
pub mod target;

use std::process::ExitCode;

use target::Target;
use uptime_monitor::app::settings::{self, Settings};
use uptime_monitor::config::{Sources, load};
use uptime_monitor::model::Status;
use uptime_monitor::probe::{ProbeConfig, ProbeSettings};

/// How long to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// The figures that are worth keeping.
    Full,
    /// `-- --quick`: a look whether something has changed much.
    Quick,
}

/// Runs a bench when cargo asks for one, and the target when the bench asks for that.
pub fn main(bench: impl FnOnce(Effort)) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let told = |word: &str| arguments.iter().any(|argument| argument == word);
    if told(target::ARGUMENT) {
        target::serve();
    } else if told("--bench") {
        bench(if told("--quick") { Effort::Quick } else { Effort::Full });
    } else {
        // `cargo test --all-targets` comes here: that it builds is all there is to test.
        println!("nothing measured; use `cargo bench`, with `-- --quick` for a first look");
    }
    ExitCode::SUCCESS
}

/// Ends the bench when a check went wrong: what would be measured then is something else.
pub fn expect_up(status: Status, error: Option<&str>) {
    if status != Status::Up {
        // Not a panic: supervision would restart the actor that came to tell.
        eprintln!("a check failed: {}", error.unwrap_or("without a word"));
        std::process::exit(1);
    }
}

/// The product's settings for `in_flight` checks at once, with some keys changed, trusting the target and asking its name server.
pub fn settings(in_flight: usize, target: &Target, changes: &[(&str, &str)]) -> Settings {
    let overrides = changes.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect();
    let loaded = load(Sources { overrides, ..Sources::default() }).expect("a valid configuration");
    let config = ProbeConfig { dns: vec![target.names], ..ProbeConfig::default() };
    let probe = ProbeSettings::with_roots(&config, target.roots.clone());
    let settings = settings::settings(&loaded.config, in_flight).expect("valid settings");
    Settings { probe: probe.expect("a valid probe"), ..settings }
}
