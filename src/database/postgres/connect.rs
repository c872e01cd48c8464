//! Making a connection: to which server, how long it may take, and the settings of its session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use futures_util::future::BoxFuture;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::PostgresSettings;
use super::address::Address;
use super::dial::{Wire, dial};
use super::ear::{Ear, Pulse, Tap, TapTls};
use super::trouble::Trouble;
use super::{refusal, tls};
use crate::database::DatabaseError;
use crate::failure::chain;
use crate::postgres_url::{Host, Place};

/// Makes connections to one server, or to the first of several that takes changes. Clones are cheap.
#[derive(Clone)]
pub(crate) struct Connector {
    target: Arc<Target>,
}

struct Target {
    tls: MakeRustlsConnect,
    address: Address,
    /// The host that had us last: most likely it will again.
    favourite: AtomicUsize,
    /// What is said to each session first.
    settings: String,
    limit: Duration,
    pulse: Pulse,
}

/// A connection, before anything else is known of it.
pub(super) struct Raw {
    pub(super) client: Client,
    pub(super) life: Lifeline,
}

/// A connection for statements, and what it needs beside.
pub(super) struct Link {
    pub(super) connection: AsyncPgConnection,
    pub(super) life: Lifeline,
}

/// The task that moves a connection's bytes, and what was heard on the way. Dropping it closes the connection at once, also
/// when the server is frozen in the middle of an answer.
pub(super) struct Lifeline {
    pub(super) ear: Ear,
    task: AbortHandle,
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Connector {
    /// Reads the address and the certificates; connects to nothing.
    pub(super) fn new(settings: &PostgresSettings) -> Result<Self, DatabaseError> {
        let address = Address::parse(&settings.url)?;
        let ca_file = settings.ca_file.clone().or_else(|| address.ca_file.clone());
        let tls =
            tls::connector(address.tls, ca_file.as_deref()).map_err(|trouble| trouble.at(&address.server))?;
        let first = if address.any_order { fastrand::usize(..address.hosts.len()) } else { 0 };
        let own = address.config.get_options().unwrap_or_default();
        let target = Target {
            tls,
            favourite: AtomicUsize::new(first),
            settings: session_settings(settings.statement_timeout, own),
            limit: settings.connect_timeout,
            pulse: Pulse::new(),
            address,
        };
        Ok(Self { target: Arc::new(target) })
    }

    /// Hosts and ports, for messages.
    pub(super) fn server(&self) -> &str {
        &self.target.address.server
    }

    /// Server and name of the database, for messages.
    pub(super) fn database(&self) -> String {
        format!("{} at {}", self.address().database(), self.server())
    }

    /// When the server was last heard.
    pub(super) fn pulse(&self) -> &Pulse {
        &self.target.pulse
    }

    pub(super) fn address(&self) -> &Address {
        &self.target.address
    }

    /// A new connection for callers who want to know exactly why not.
    pub(super) async fn link(&self) -> Result<Link, DatabaseError> {
        self.establish().await.map_err(|trouble| trouble.at(self.server()))
    }

    /// A new connection, on the runtime of the caller.
    pub(super) async fn establish(&self) -> Result<Link, Trouble> {
        let Raw { client, life } = self.raw().await?;
        let connected = timeout(self.target.limit, AsyncPgConnection::try_from(client)).await;
        match connected {
            Ok(Ok(connection)) => Ok(Link { connection, life }),
            Ok(Err(error)) => Err(Trouble::Away(chain(&error))),
            Err(_) => Err(silent(self.target.limit)),
        }
    }

    /// A new connection without anything above it.
    pub(super) fn raw(&self) -> BoxFuture<'static, Result<Raw, Trouble>> {
        let connector = self.clone();
        Box::pin(async move { connector.first_of_all().await })
    }

    /// The hosts in turn, beginning with the one that had us last. They share the time.
    async fn first_of_all(self) -> Result<Raw, Trouble> {
        let hosts = self.target.address.hosts.clone();
        let share = self.target.limit / u32::try_from(hosts.len()).unwrap_or(1).max(1);
        let first = self.target.favourite.load(Ordering::Relaxed);
        let mut troubles = Vec::new();
        for step in 0..hosts.len() {
            let index = (first + step) % hosts.len();
            let connecting = timeout(share, self.connect(&hosts[index], share));
            match connecting.await.unwrap_or_else(|_| Err(silent(share))) {
                Ok(raw) => {
                    self.target.favourite.store(index, Ordering::Relaxed);
                    return Ok(raw);
                }
                Err(trouble) => troubles.push((hosts[index].to_string(), trouble)),
            }
        }
        Err(summary(troubles))
    }

    async fn connect(&self, host: &Host, limit: Duration) -> Result<Raw, Trouble> {
        let target = &self.target;
        let wire = dial(host, limit).await.map_err(Trouble::Away)?;
        let (ear, encrypted) = (Ear::default(), Arc::new(AtomicBool::new(false)));
        let connector = tls_for(&target.tls, host)?;
        let tls = TapTls { connector, ear: ear.clone(), encrypted: Arc::clone(&encrypted) };
        let config = target.address.config_for(host);
        let connected = config.connect_raw(Tap::new(wire, ear.clone(), target.pulse.clone()), tls).await;
        let (client, connection) = connected.map_err(|error| {
            let login =
                refusal::Login { address: &target.address, encrypted: encrypted.load(Ordering::Relaxed) };
            refusal::explain(&error, &login)
        })?;
        refuse_read_only(&connection)?;
        // A connection that ends tells so to whoever uses its client; why, the ear has heard.
        let task = tokio::spawn(async move { drop(connection.await) }).abort_handle();
        let raw = Raw { client, life: Lifeline { ear, task } };
        let set = raw.client.batch_execute(&target.settings).await;
        set.map_err(|error| refusal::explain_statement(&error))?;
        Ok(raw)
    }
}

fn silent(limit: Duration) -> Trouble {
    Trouble::Away(format!("no answer within {limit:?}"))
}

type TlsConnector = <MakeRustlsConnect as MakeTlsConnect<Tap<Wire>>>::TlsConnect;

fn tls_for(tls: &MakeRustlsConnect, host: &Host) -> Result<TlsConnector, Trouble> {
    let name = match &host.place {
        Place::Tcp(name) => name.as_str(),
        // Never shown to anybody: there is no TLS on a socket.
        Place::Unix(_) => "localhost",
    };
    MakeTlsConnect::<Tap<Wire>>::make_tls_connect(&mut tls.clone(), name).map_err(|error| {
        let error: Box<dyn std::error::Error + Send + Sync> = error.into();
        Trouble::Refused {
            message: format!("its name is none for TLS: {error}"),
            remedy: "check the host in database.url".to_owned(),
        }
    })
}

/// A server says both when a session begins and when they change, since PostgreSQL 14. A standby becomes a primary, and a
/// database is given back: so this may heal, and of several servers another one may take changes meanwhile.
fn refuse_read_only<S, T>(connection: &Connection<S, T>) -> Result<(), Trouble>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let is_on = |name| connection.parameter(name) == Some("on");
    if is_on("in_hot_standby") {
        return Err(Trouble::Away(refusal::STANDBY.to_owned()));
    }
    if is_on("default_transaction_read_only") {
        return Err(Trouble::Away(refusal::READ_ONLY.to_owned()));
    }
    Ok(())
}

/// Of several servers each has its reason. As long as one of them may heal, all of it may.
fn summary(mut troubles: Vec<(String, Trouble)>) -> Trouble {
    if troubles.len() == 1
        && let Some((_, only)) = troubles.pop()
    {
        return only;
    }
    let told = troubles.iter().map(|(host, trouble)| format!("{host}: {trouble}"));
    let told = told.collect::<Vec<_>>().join("; ");
    let healing = troubles.iter().any(|(_, trouble)| matches!(trouble, Trouble::Away(_)));
    match troubles.into_iter().find_map(|(_, trouble)| trouble.remedy()) {
        Some(remedy) if !healing => Trouble::Refused { message: told, remedy },
        _ => Trouble::Away(told),
    }
}

/// Said to each session after its start and not within it, because a pooler lets few parameters of a start pass. What the URL
/// itself sets (`options`) stays.
fn session_settings(statement_timeout: Duration, own: &str) -> String {
    let ours = [
        ("statement_timeout", statement_timeout.as_millis()),
        ("lock_timeout", 5_000),
        ("idle_in_transaction_session_timeout", 60_000),
    ];
    let ours = ours.iter().filter(|(name, _)| !own.contains(name));
    ours.map(|(name, value)| format!("SET {name} = {value};")).collect()
}
