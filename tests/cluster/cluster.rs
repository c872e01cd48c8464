//! A database and a topic of one's own on real servers, a web server to watch, and the binary run against them.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Done, Process};
use crate::servers::{Kafka, Postgres, unique_name};
use crate::target::Target;
use crate::waiting::{eventually, within};

const BINARY: &str = env!("CARGO_BIN_EXE_uptime-monitor");

/// Sites of the usual load that are due each second.
const SECONDLY: usize = 100;

/// For what has to happen sooner or later, servers that come back included.
const DEADLINE: Duration = Duration::from_secs(90);

/// Where the processes of a test meet.
pub(crate) struct Cluster<'a> {
    pub(crate) postgres: &'a Postgres,
    pub(crate) target: Target,
    /// Of the database, straight to the server.
    pub(crate) url: String,
    folder: TempDir,
    env: Vec<(String, String)>,
    turn: RefCell<Option<Turn>>,
}

/// The right to use the machine. A test with a load counts seconds, and runs alone; the others share the machine.
enum Turn {
    Alone { _lock: RwLockWriteGuard<'static, ()> },
    Shared { _lock: RwLockReadGuard<'static, ()> },
}

static MACHINE: RwLock<()> = RwLock::new(());

impl Turn {
    fn alone() -> Self {
        Self::Alone { _lock: MACHINE.write().unwrap_or_else(PoisonError::into_inner) }
    }

    fn shared() -> Self {
        Self::Shared { _lock: MACHINE.read().unwrap_or_else(PoisonError::into_inner) }
    }
}

/// What `audit --json` says.
#[derive(Debug)]
pub(crate) struct Audit {
    pub(crate) recorded: u64,
    pub(crate) missing: u64,
    pub(crate) on_its_way: u64,
    pub(crate) unaccounted: u64,
    pub(crate) gaps: u64,
    pub(crate) code: Option<i32>,
}

impl<'a> Cluster<'a> {
    /// With results through Kafka.
    pub(crate) fn with_kafka(postgres: &'a Postgres, kafka: &Kafka) -> Self {
        Self::with_local_log(postgres)
            .with("result_log.kind", "kafka")
            .with("result_log.kafka.brokers", kafka.brokers())
            .with("result_log.kafka.topic", &unique_name("results"))
            .with("result_log.kafka.dead_letter_topic", &unique_name("dead"))
            .with("result_log.kafka.group", &unique_name("group"))
            .with("result_log.kafka.partitions", "4")
    }

    /// Without Kafka: each worker stores what it has checked.
    pub(crate) fn with_local_log(postgres: &'a Postgres) -> Self {
        let turn = Turn::shared();
        rlimit::increase_nofile_limit(8192).unwrap();
        let url = postgres.fresh_database();
        let cluster = Self {
            postgres,
            target: Target::start(),
            env: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
            turn: RefCell::new(Some(turn)),
            url: url.clone(),
        };
        let quick = [
            ("database.url", url.as_str()),
            ("worker.lease", "2s"),
            ("worker.poll", "100ms"),
            ("persister.linger", "50ms"),
            ("supervisor.shutdown_timeout", "5s"),
        ];
        quick.iter().fold(cluster, |cluster, (key, value)| cluster.with(key, value))
    }

    /// With a setting, in the environment. A later one wins.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.set(key, value);
        self
    }

    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.env.push((variable(key), value.to_owned()));
    }

    /// A setting of [`Self::with`].
    pub(crate) fn setting(&self, key: &str) -> &str {
        let name = variable(key);
        let found = self.env.iter().rfind(|(known, _)| *known == name);
        found.map_or_else(|| panic!("{key} is not set"), |(_, value)| value)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The binary with these arguments, split at spaces.
    pub(crate) fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Starts a role, with settings of its own.
    pub(crate) fn spawn_with(&self, role: &str, settings: &[(&str, &str)]) -> Process {
        let settings = settings.iter().map(|(key, value)| (variable(key), *value));
        Process::spawn(self.command(role).envs(settings))
    }

    /// Starts a role.
    pub(crate) fn spawn(&self, role: &str) -> Process {
        self.spawn_with(role, &[])
    }

    /// Starts a role and waits until it works.
    pub(crate) fn start(&self, role: &str) -> Process {
        let process = self.spawn(role);
        process.says("watching");
        process
    }

    /// Runs a command that ends by itself.
    pub(crate) fn cli(&self, arguments: &str) -> Done {
        Process::spawn(&mut self.command(arguments)).ends()
    }

    /// Imports `count` sites called `NAME-0`, `NAME-1`, … at `path` of the web server, as a user would.
    pub(crate) fn import(&self, count: usize, name: &str, path: &str, every: &str) {
        let mut rows = String::from("name,url,every,timeout,tags\n");
        for number in 0..count {
            writeln!(rows, "{name}-{number},{},{every},900ms,", self.target.url(path)).unwrap();
        }
        std::fs::write(self.path("import.csv"), rows).unwrap();
        let done = self.cli("sites import import.csv");
        assert_eq!(done.code, Some(0), "{done:?}");
    }

    /// From here on the test has the machine alone.
    pub(crate) fn alone(self) -> Self {
        self.take_machine();
        self
    }

    fn take_machine(&self) {
        // Not both at once: two that hold a share would wait for each other.
        drop(self.turn.take());
        self.turn.replace(Some(Turn::alone()));
    }

    /// The usual load: one hundred and fifty checks a second. From here on the test has the machine alone.
    pub(crate) fn import_load(&self) {
        self.take_machine();
        self.import(SECONDLY, "second", "/", "1s");
        self.import(100, "other-second", "/slow/100", "2s");
    }

    /// How often slots were left out because nobody scheduled for a while. What is due after the end of the last scheduler
    /// is none of it, though an audit counts that as a gap.
    pub(crate) fn gaps_while_scheduled(&self) -> u64 {
        self.number("SELECT count(*) FROM schedule_gap")
    }

    pub(crate) fn recorded(&self) -> u64 {
        self.number("SELECT count(*) FROM ping_status")
    }

    /// Runs SQL in the database; rows are lines.
    pub(crate) fn ask(&self, sql: &str) -> String {
        self.postgres.ask(&self.url, sql)
    }

    /// Asks the database for one number.
    pub(crate) fn number(&self, sql: &str) -> u64 {
        self.ask(sql).parse().unwrap()
    }

    /// How many of the rows that the table `copy` remembers are not the same any more.
    pub(crate) fn changed_since(&self, copy: &str) -> u64 {
        // As texts, because json can't be compared.
        self.number(&format!(
            "SELECT count(*) FROM (SELECT old::text FROM {copy} AS old EXCEPT SELECT new::text FROM ping_status AS new) AS changed"
        ))
    }

    /// Waits until this many more results are stored.
    pub(crate) fn records_more(&self, results: u64) {
        let enough = self.recorded() + results;
        within(DEADLINE, &format!("{results} more results"), || (self.recorded() >= enough).then_some(()));
    }

    pub(crate) fn audit(&self) -> Audit {
        let done = self.cli("audit --json");
        let json: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{done:?}"));
        let count = |json: &Value, key: &str| json[key].as_u64().unwrap();
        let gaps = json["gaps"].as_array().unwrap().iter().map(|gap| count(gap, "slots")).sum();
        Audit {
            recorded: count(&json, "recorded"),
            missing: count(&json, "missing"),
            on_its_way: count(&json, "on_its_way"),
            unaccounted: count(&json, "unaccounted"),
            gaps,
            code: done.code,
        }
    }

    /// Ends what schedules, and asserts that whatever was due is recorded exactly once, or lies in a declared gap: by the
    /// audit, and without its arithmetic.
    pub(crate) fn assert_every_slot_once(&self, schedulers: Vec<Process>, at_least: u64) -> Audit {
        for scheduler in schedulers {
            scheduler.kill();
        }
        within(DEADLINE, "the queue is empty", || {
            (self.number("SELECT count(*) FROM job_queue") == 0).then_some(())
        });
        let audit = within(DEADLINE, "every row is stored and judged", || {
            let audit = self.audit();
            (audit.missing == audit.gaps && audit.recorded >= self.recorded()).then_some(audit)
        });
        assert_eq!(audit.unaccounted, 0, "{audit:?}");
        assert!(audit.recorded >= at_least, "{audit:?}");
        self.assert_whole_seconds();
        audit
    }

    /// Of a second in which one site of the usual load was due, all were.
    fn assert_whole_seconds(&self) {
        let partial = format!(
            "SELECT count(*) FROM (
               SELECT 1 FROM ping_status JOIN site_config ON id = site_id WHERE name LIKE 'second-%'
               GROUP BY scheduled_at HAVING count(*) <> {SECONDLY}) AS partial"
        );
        assert_eq!(self.number(&partial), 0);
    }

    /// Waits until something that a person would see in the logs is there.
    pub(crate) fn eventually(&self, what: &str, condition: impl FnMut() -> bool) {
        eventually(what, condition);
    }
}

/// Of a setting, in the environment.
fn variable(key: &str) -> String {
    format!("UPTIME__{}", key.to_uppercase().replace('.', "__"))
}

/// A port that was free a moment ago.
pub(crate) fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
