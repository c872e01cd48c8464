//! Real servers for tests, from `scripts/support`: PostgreSQL, Kafka, and a network in between that can be cut.
//!
//! [`postgres`] and [`kafka`] are shared by the tests of a process, and with `make test` by all processes; what a test
//! wants to hurt it starts for itself ([`Postgres::start`], [`Kafka::start`]). Where none can be started there is `None`,
//! said aloud together with the test's name and the remedy; with `UPTIME_TEST_SERVERS=required` that is a failure.
#![allow(dead_code, unused_imports, unreachable_pub, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod kafka;
mod postgres;
mod proxy;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

pub use kafka::Kafka;
pub use postgres::Postgres;
pub use proxy::Proxy;

/// The shared PostgreSQL: the one that `UPTIME_TEST_POSTGRES` names, a URL whose user may create databases, or else one
/// of this process. Take a [`Postgres::fresh_database`] of it.
pub fn postgres() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Result<Postgres, String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        std::env::var("UPTIME_TEST_POSTGRES")
            .map_or_else(|_| Postgres::try_start(&[]), |url| Ok(Postgres::at(url)))
    });
    or_left_out(shared.as_ref())
}

/// The shared Kafka, without encryption: the one that `UPTIME_TEST_KAFKA` names (`host:port,…`), or else one of this
/// process. Take topics and groups with a [`unique_name`].
pub fn kafka() -> Option<&'static Kafka> {
    static SHARED: OnceLock<Result<Kafka, String>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| {
        std::env::var("UPTIME_TEST_KAFKA")
            .map_or_else(|_| Kafka::try_start(&[]), |brokers| Ok(Kafka::at(brokers)))
    });
    or_left_out(shared.as_ref())
}

/// A name that nobody else uses: for databases, topics and groups on shared servers.
pub fn unique_name(what: &str) -> String {
    format!("{what}_{:016x}", fastrand::u64(..))
}

fn or_left_out<T, E: AsRef<str>>(server: Result<T, E>) -> Option<T> {
    match server {
        Ok(server) => Some(server),
        Err(why) => {
            let (why, test) = (why.as_ref(), std::thread::current().name().unwrap_or("a test").to_owned());
            let required = std::env::var("UPTIME_TEST_SERVERS").is_ok_and(|wanted| wanted == "required");
            assert!(!required, "{why}");
            // Past the test's capture of output, which hides what a test that passes has to say.
            let _ = writeln!(std::io::stderr(), "LEFT OUT: {test}: {why}");
            None
        }
    }
}

/// A server of this process, in a folder of its own. Dropping it takes the server down; when the process ends without
/// that, a guard does.
struct Folder {
    script: &'static str,
    path: PathBuf,
}

impl Folder {
    /// Starts a server, and returns what it says about itself. The error tells what is not installed.
    fn start(script: &'static str, options: &[&str]) -> Result<(Self, HashMap<String, String>), String> {
        let own_pid = std::process::id().to_string();
        let output = support(script, &[&["up", "--with-parent", &own_pid], options].concat());
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.status.code() == Some(3) {
            return Err(said.lines().last().unwrap_or("something is not installed").to_owned());
        }
        assert!(output.status.success(), "{script} does not start: {said}");
        let facts = assignments(&String::from_utf8(output.stdout).unwrap());
        let path = facts[&format!("{}_DIR", script.to_uppercase())].clone().into();
        Ok((Self { script, path }, facts))
    }

    /// Runs one of the script's commands; it must work.
    fn tell(&self, command: &str, arguments: &[&str]) {
        let output = support(self.script, &[&[command, self.path.to_str().unwrap()], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{} {command} {arguments:?}: {said}", self.script);
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A panic here would hide the test's own; what remains is for the guard.
        let _ = support(self.script, &["down", self.path.to_str().unwrap_or_default()]);
    }
}

fn support(script: &str, arguments: &[&str]) -> Output {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/support");
    Command::new(scripts.join(script)).args(arguments).output().expect("the script runs")
}

/// Reads `NAME='value'` lines.
fn assignments(text: &str) -> HashMap<String, String> {
    let pair = |line: &str| {
        let (name, value) = line.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    };
    text.lines().filter_map(pair).collect()
}
