//! Making a connection: where to, how long it may take, and the settings of its session.

use std::sync::Arc;
use std::time::Duration;

use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::PostgresSettings;
use super::address::Address;
use super::pool::Trouble;
use super::{refusal, tls};
use crate::database::{DatabaseError, statement};

/// The oldest server that has all that we use.
const OLDEST: i32 = 140_000;

/// Makes connections to one server. Clones are cheap.
#[derive(Clone)]
pub(crate) struct Connector {
    target: Arc<Target>,
}

struct Target {
    config: Config,
    tls: MakeRustlsConnect,
    address: Address,
    limit: Duration,
}

impl Connector {
    /// Reads the address and the certificates; connects to nothing.
    pub(super) fn new(settings: &PostgresSettings) -> Result<Self, DatabaseError> {
        let address = Address::parse(&settings.url)?;
        let ca_file = settings.ca_file.clone().or_else(|| address.ca_file.clone());
        let tls =
            tls::connector(address.tls, ca_file.as_deref()).map_err(|trouble| trouble.at(&address.server))?;
        let mut config = address.config.clone();
        config
            .application_name("uptime-monitor")
            .connect_timeout(settings.connect_timeout)
            .keepalives_idle(Duration::from_secs(15))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(30))
            .options(session_options(settings, address.config.get_options()));
        Ok(Self { target: Arc::new(Target { config, tls, address, limit: settings.connect_timeout }) })
    }

    /// Host and port, for messages.
    pub(super) fn server(&self) -> &str {
        &self.target.address.server
    }

    /// Server and name of the database, for messages.
    pub(super) fn database(&self) -> String {
        format!("{} at {}", self.target.address.database(), self.server())
    }

    /// A new connection for callers who want to know exactly why not.
    pub(super) async fn connection(&self) -> Result<AsyncPgConnection, DatabaseError> {
        self.establish().await.map_err(|trouble| trouble.at(self.server()))
    }

    /// A new connection, on the runtime of the caller.
    pub(super) async fn establish(&self) -> Result<AsyncPgConnection, Trouble> {
        match timeout(self.target.limit, self.connect()).await {
            Ok(connected) => connected,
            Err(_) => Err(Trouble::Away(format!("no answer within {:?}", self.target.limit))),
        }
    }

    async fn connect(&self) -> Result<AsyncPgConnection, Trouble> {
        let target = &self.target;
        let connected = target.config.connect(target.tls.clone()).await;
        let (client, connection) = connected.map_err(|error| refusal::explain(&error, &target.address))?;
        AsyncPgConnection::try_from_client_and_connection(client, connection)
            .await
            .map_err(|error| Trouble::Away(crate::failure::chain(&error)))
    }

    /// Refuses a server that is too old, or one that takes no changes.
    pub(super) async fn check_server(&self) -> Result<(), DatabaseError> {
        let mut connection = self.connection().await?;
        let row = ServerVersion {}.get_result(&mut connection).await;
        let (version, name, standby): (i32, String, bool) =
            row.map_err(|error| self.explain_loss(DatabaseError::from(error)))?;
        match refusal::unfit(version, OLDEST, &name, standby) {
            Some(trouble) => Err(trouble.at(self.server())),
            None => Ok(()),
        }
    }

    /// Gives an error that is really a lost connection the name of the server.
    pub(super) fn explain_loss<E: From<DatabaseError> + std::error::Error + 'static>(&self, error: E) -> E {
        match refusal::lost_connection(&error) {
            Some(message) => Trouble::Away(message).at(self.server()).into(),
            None => error,
        }
    }
}

/// What the URL itself asks for comes last and wins.
fn session_options(settings: &PostgresSettings, own: Option<&str>) -> String {
    format!(
        "-c statement_timeout={} -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000 {}",
        settings.statement_timeout.as_millis(),
        own.unwrap_or_default()
    )
}

statement!(for Pg: ServerVersion {} -> (Integer, Text, Bool) =
    "SELECT current_setting('server_version_num')::int, current_setting('server_version'), pg_is_in_recovery()");
