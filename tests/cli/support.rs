//! A folder with a database, and the binary run in it.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

/// A folder in which commands are run.
pub(crate) struct Desk {
    folder: TempDir,
}

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Done {
    /// Stdout, after a command that must have worked.
    pub(crate) fn fine(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        assert_eq!(self.err, "", "{self:?}");
        self.out
    }

    /// Stderr, after a command that must have ended with `code` and without an answer.
    pub(crate) fn refused(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        self.err
    }

    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.fine()).unwrap()
    }
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With sites of these names, at `https://NAME.example/`.
    pub(crate) fn with_sites(names: &[&str]) -> Self {
        let desk = Self::new();
        for name in names {
            desk.run(&["sites", "add", &format!("https://{name}.example/"), "--name", name]).fine();
        }
        desk
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs the binary with these arguments, split at spaces.
    pub(crate) fn say(&self, arguments: &str) -> Done {
        self.run(&arguments.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        self.run_with(arguments, &[], "")
    }

    pub(crate) fn run_with(&self, arguments: &[&str], env: &[(&str, &str)], stdin: &str) -> Done {
        let mut child = Command::new(env!("CARGO_BIN_EXE_uptime-monitor"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("UPTIME__DATABASE__URL", "sqlite://uptime.db")
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may end without having read it all.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Done {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The address of a server that answers one request with `status`.
    pub(crate) fn server(status: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/health", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 1024]);
            write!(connection, "HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
                .unwrap();
        });
        url
    }

    /// Changes the database behind the program's back.
    pub(crate) fn sql(&self, statements: &str) {
        let path = self.path("uptime.db");
        let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        connection.batch_execute(statements).unwrap();
    }

    /// The names that `sites list` knows.
    pub(crate) fn names(&self) -> Vec<String> {
        let sites = self.say("sites list --json").json();
        sites.as_array().unwrap().iter().map(|site| site["name"].as_str().unwrap().to_owned()).collect()
    }
}
