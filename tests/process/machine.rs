//! A folder with a database, a web server to watch, and the binary run there.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Done, Process};
use crate::target::Target;
use crate::waiting::{DEADLINE, eventually, within};

/// Where the binary is.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_uptime-monitor");

/// Sites of the usual load that are due each second.
const SECONDLY: usize = 200;

/// Where commands are run.
pub(crate) struct Machine {
    pub(crate) target: Target,
    folder: PathBuf,
    env: Vec<(String, String)>,
    _own: Option<TempDir>,
}

/// What `audit --json` says.
#[derive(Debug)]
pub(crate) struct Audit {
    pub(crate) code: Option<i32>,
    pub(crate) expected: u64,
    pub(crate) recorded: u64,
    pub(crate) unaccounted: u64,
}

impl Machine {
    /// With a folder of its own.
    pub(crate) fn new() -> Self {
        let own = tempfile::tempdir().unwrap();
        let machine = Self::in_folder(own.path());
        Self { _own: Some(own), ..machine }
    }

    /// In a folder of its own, with the settings that are shipped.
    pub(crate) fn shipped() -> Self {
        let own = tempfile::tempdir().unwrap();
        let machine = Self::plain(own.path());
        Self { _own: Some(own), ..machine }
    }

    /// In a folder that the test looks after.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let machine = Self::plain(folder);
        let quick = [("worker.lease", "1s"), ("worker.poll", "100ms"), ("persister.linger", "50ms")];
        quick.iter().fold(machine, |machine, (key, value)| machine.with(key, value))
    }

    fn plain(folder: &Path) -> Self {
        // The web server in this process holds a connection for each check that hangs.
        rlimit::increase_nofile_limit(8192).unwrap();
        Self { target: Target::start(), folder: folder.to_owned(), env: Vec::new(), _own: None }
    }

    /// With a setting, in the environment.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        let name = format!("UPTIME__{}", key.to_uppercase().replace('.', "__"));
        self.env.push((name, value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// Imports `count` sites called `NAME-0`, `NAME-1`, … at `path` of the web server, as a user would.
    pub(crate) fn import(&self, count: usize, name: &str, path: &str, every: &str, timeout: &str) {
        let mut rows = String::from("name,url,every,timeout,tags\n");
        for number in 0..count {
            let url = self.target.url(path);
            writeln!(rows, "{name}-{number},{url},{every},{timeout},").unwrap();
        }
        self.write("import.csv", &rows);
        self.cli("sites import import.csv").fine();
    }

    /// The usual load: three hundred checks a second.
    pub(crate) fn import_load(&self) {
        self.import(SECONDLY, "second", "/", "1s", "900ms");
        self.import(200, "other-second", "/", "2s", "900ms");
    }

    /// A configuration file with sites that are checked at the start, and then once a day. A site that hangs does so for
    /// longer than any test.
    pub(crate) fn daily(&self, count: usize, path: &str) -> String {
        let (url, timeout) = (self.target.url(path), if path == "/hang" { "59s" } else { "1s" });
        let site = |number| {
            format!(
                "[[site]]\nname = \"daily-{number}\"\nurl = \"{url}\"\nevery = \"1d\"\ntimeout = \"{timeout}\"\n"
            )
        };
        (0..count).map(site).collect()
    }

    /// The binary with these arguments, split at spaces, in the folder.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        self.prepared(BINARY, &arguments.split_whitespace().collect::<Vec<_>>())
    }

    /// Any program in the same surroundings.
    pub(crate) fn prepared(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .env("UPTIME__DATABASE__URL", "sqlite://uptime.db")
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs a command that ends by itself.
    pub(crate) fn cli(&self, arguments: &str) -> Done {
        Process::spawn(&mut self.command(arguments)).ends()
    }

    /// Starts `run` and waits until it watches.
    pub(crate) fn start(&self) -> Process {
        let monitor = Process::spawn(&mut self.command("run"));
        monitor.says("watching");
        monitor
    }

    /// Waits until this many more results are stored.
    pub(crate) fn records_more(&self, results: i64) {
        let enough = self.recorded() + results;
        eventually(&format!("{results} more results"), || self.recorded() >= enough);
    }

    pub(crate) fn recorded(&self) -> i64 {
        self.number("SELECT count(*) AS number FROM ping_status")
    }

    pub(crate) fn jobs(&self) -> i64 {
        self.number("SELECT count(*) AS number FROM job_queue")
    }

    /// Jobs that somebody holds.
    pub(crate) fn leases(&self) -> i64 {
        self.number("SELECT count(*) AS number FROM job_queue WHERE lease_owner IS NOT NULL")
    }

    /// Asks the database for one number, called `number`.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        diesel::sql_query(sql).get_result::<Number>(&mut self.connect()).unwrap().number
    }

    /// Another program's connection.
    pub(crate) fn connect(&self) -> SqliteConnection {
        use diesel::connection::SimpleConnection as _;
        let mut connection = SqliteConnection::establish(self.path("uptime.db").to_str().unwrap()).unwrap();
        connection.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
        connection
    }

    pub(crate) fn audit(&self) -> Audit {
        let done = self.cli("audit --json");
        let json: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
        let count = |key: &str| json[key].as_u64().unwrap();
        Audit {
            code: done.code,
            expected: count("expected"),
            recorded: count("recorded"),
            unaccounted: count("unaccounted"),
        }
    }

    /// Of a second in which one site of the usual load was due, all were: what `audit` finds, without its arithmetic.
    pub(crate) fn assert_whole_seconds(&self) {
        let partial = format!(
            "WITH slot AS (
               SELECT scheduled_at, site_id FROM ping_status UNION SELECT scheduled_at, site_id FROM job_queue)
             SELECT count(*) AS number FROM (
               SELECT 1 FROM slot JOIN site_config ON id = site_id WHERE name LIKE 'second-%'
               GROUP BY scheduled_at HAVING count(*) <> {SECONDLY})"
        );
        assert_eq!(self.number(&partial), 0);
    }

    /// At work or not: no slot is unaccounted for at any moment.
    pub(crate) fn assert_accounted(&self) -> Audit {
        let audit = self.audit();
        assert!(audit.unaccounted == 0 && audit.code == Some(0), "{audit:?}");
        audit
    }

    /// With no monitor at work: every slot has a row, a job, or a declared gap, and none has two rows. Slots that are too
    /// young to be judged are waited for. Returns what the audit of all of them says.
    pub(crate) fn assert_nothing_lost(&self, at_least: u64) -> Audit {
        let rows = u64::try_from(self.recorded()).unwrap();
        let audit = within(DEADLINE, "the audit judges every row", || {
            Some(self.assert_accounted()).filter(|audit| audit.recorded >= rows)
        });
        assert!(audit.expected >= at_least && audit.recorded >= at_least, "{audit:?}");
        // The table's key forbids it; this asks the table and not the key.
        let twice = "SELECT count(*) AS number FROM
            (SELECT 1 FROM ping_status GROUP BY site_id, scheduled_at HAVING count(*) > 1)";
        assert_eq!(self.number(twice), 0);
        audit
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Done {
    /// Stdout, after a command that must have worked.
    pub(crate) fn fine(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.out
    }

    /// Stderr, after a command that must have ended with `code` and without an answer.
    pub(crate) fn refused(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        self.err
    }
}
