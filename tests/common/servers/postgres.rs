//! PostgreSQL: one's own, to be stopped and crashed, or a shared one with databases to take.

use std::net::SocketAddr;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};
use url::Url;

use super::{Folder, or_left_out, unique_name};

/// A running server, of which every process may have as many databases as it likes.
pub struct Postgres {
    url: String,
    ca_file: Option<String>,
    /// `None` for a server that somebody else looks after.
    own: Option<Folder>,
}

impl Postgres {
    /// A server of one's own, which goes down with this value. `None`, said aloud, where none can be started.
    pub fn start() -> Option<Self> {
        or_left_out(Self::try_start(&[]))
    }

    /// The same with a certificate (see [`Self::ca_file`]) for `localhost` and 127.0.0.1; it refuses connections without TLS.
    pub fn start_with_tls() -> Option<Self> {
        or_left_out(Self::try_start(&["--tls"]))
    }

    pub(super) fn try_start(options: &[&str]) -> Result<Self, String> {
        let (folder, mut facts) = Folder::start("postgres", options)?;
        let url = facts.remove("POSTGRES_URL").expect("a URL");
        Ok(Self { url, ca_file: facts.remove("POSTGRES_CA"), own: Some(folder) })
    }

    pub(super) fn at(url: String) -> Self {
        Self { url, ca_file: None, own: None }
    }

    /// Of the database `uptime`, which all users of a shared server share. With TLS it has `sslmode=verify-full`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The CA in PEM, of a server with TLS.
    pub fn ca_file(&self) -> &Path {
        Path::new(self.ca_file.as_ref().expect("started with TLS"))
    }

    /// Of one's own server: the folder of its socket.
    pub fn folder(&self) -> &str {
        self.own().path.to_str().unwrap()
    }

    /// Where it listens: for a [`super::Proxy`].
    pub fn address(&self) -> SocketAddr {
        let url = Url::parse(&self.url).unwrap();
        let port = url.port().unwrap_or(5432);
        url.socket_addrs(|| Some(port))
            .unwrap()
            .into_iter()
            .find(SocketAddr::is_ipv4)
            .expect("an IPv4 address")
    }

    /// The URL of a new, empty database, which the user owns.
    pub fn fresh_database(&self) -> String {
        let name = unique_name("test");
        self.ask(&self.url, &format!("CREATE DATABASE {name} OWNER uptime"));
        let mut url = Url::parse(&self.url).unwrap();
        url.set_path(&name);
        url.into()
    }

    /// Runs SQL in the database of `url`, on one's own server as its superuser, and returns the rows as lines, with `|`
    /// between columns and nothing for NULL.
    pub fn ask(&self, url: &str, sql: &str) -> String {
        let mut config: Config = url.parse().unwrap();
        if let Some(folder) = &self.own {
            let (name, port) = (config.get_dbname().unwrap().to_owned(), config.get_ports()[0]);
            config = Config::new();
            config.host_path(&folder.path).port(port).user("postgres").dbname(name);
        }
        // A thread of its own, because the caller may be inside a runtime.
        let rows = std::thread::scope(|scope| scope.spawn(|| run(&config, sql)).join().unwrap());
        rows.unwrap_or_else(|error| panic!("{error:?}: {sql}"))
    }

    /// The process ids of the connections to the database of `url`, our own left out.
    pub fn backends(&self, url: &str) -> Vec<i32> {
        let sql = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()
                   AND backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid";
        self.ask(url, sql).lines().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Stops the server process of one connection: it stays open and answers nothing, until the returned value is
    /// dropped.
    pub fn freeze(&self, backend: i32) -> Frozen {
        // Elsewhere the number may be that of any process.
        self.own();
        let pid = Pid::from_raw(backend);
        kill(pid, Signal::SIGSTOP).unwrap();
        Frozen(pid)
    }

    /// Shuts it down in order: connections are closed, what is in work is rolled back. Keeps the port.
    pub fn stop_fast(&self) {
        self.own().tell("stop", &["fast"]);
    }

    /// Crashes it: [`Self::start_again`] recovers from the log.
    pub fn stop_immediate(&self) {
        self.own().tell("stop", &["immediate"]);
    }

    /// Starts it after a stop, at the same port, and waits until it serves.
    pub fn start_again(&self) {
        self.own().tell("start", &[]);
    }

    fn own(&self) -> &Folder {
        self.own.as_ref().expect("a shared server is left alone: Postgres::start() gives one of your own")
    }
}

/// A backend that does nothing. Dropping it lets the backend go on.
pub struct Frozen(Pid);

impl Drop for Frozen {
    fn drop(&mut self) {
        // It may have been killed meanwhile.
        let _ = kill(self.0, Signal::SIGCONT);
    }
}

fn run(config: &Config, sql: &str) -> Result<String, tokio_postgres::Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = config.connect(NoTls).await?;
        let serving = tokio::spawn(connection);
        let rows = rows(&client, sql).await;
        drop(client);
        serving.await.unwrap()?;
        rows
    })
}

async fn rows(client: &Client, sql: &str) -> Result<String, tokio_postgres::Error> {
    let mut lines = Vec::new();
    for message in client.simple_query(sql).await? {
        if let SimpleQueryMessage::Row(row) = message {
            let columns: Vec<&str> = (0..row.len()).map(|column| row.get(column).unwrap_or("")).collect();
            lines.push(columns.join("|"));
        }
    }
    Ok(lines.join("\n"))
}
