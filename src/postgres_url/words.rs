//! Words in the query of a URL that libpq or another tool knows and this program does not do: which, and what to do instead.

use super::{UrlFault, fault};

/// Words and what to do instead. Most are of libpq 18 (its documentation, section "Parameter Key Words"); the others are of
/// Prisma, the JDBC driver, SQLAlchemy and npgsql, whose URLs people copy.
const REFUSED: &[(&[&str], &str)] = &[
    (&["client_encoding", "charset", "encoding"], "leave it out: texts always travel as UTF-8"),
    (
        &["passfile", "service", "servicefile"],
        "leave it out; to keep the password out of the configuration, put the whole URL into a file and name that in \
         database.url_file, or write \"${NAME}\" for a variable",
    ),
    (
        &["sslcert", "sslkey", "sslpassword", "sslcertmode", "ssl_cert", "ssl_key"],
        "leave it out: the login is by password, without a certificate of the client",
    ),
    (&["sslcrl", "sslcrldir", "sslcompression", "sslsni", "sslkeylogfile"], "leave it out"),
    (
        &["ssl_min_protocol_version", "ssl_max_protocol_version"],
        "leave it out: TLS 1.2 and 1.3 are used, whichever the server offers",
    ),
    (&["ssl", "requiressl", "usessl"], "write sslmode=require, or better sslmode=verify-full"),
    (
        &["gssencmode", "gsslib", "gssdelegation", "krbsrvname", "krblogin"],
        "leave it out: connections are encrypted by TLS (sslmode) and not by GSSAPI",
    ),
    (
        &[
            "require_auth",
            "requirepeer",
            "oauth_issuer",
            "oauth_client_id",
            "oauth_client_secret",
            "oauth_scope",
        ],
        "leave it out: the login is by password (SCRAM-SHA-256, MD5 or plain, as the server asks)",
    ),
    (
        &[
            "pgbouncer",
            "prepared_statements",
            "preparethreshold",
            "statement_cache_size",
            "prepared_statement_cache_size",
        ],
        "leave it out: a pooler has to give each session a connection of its own (PgBouncer: pool_mode = session)",
    ),
    (&["schema", "currentschema", "search_path"], "write options=-c%20search_path%3DNAME"),
    (
        &[
            "connection_limit",
            "pool_size",
            "max_connections",
            "poolsize",
            "maxpoolsize",
            "minpoolsize",
            "max_pool_size",
        ],
        "leave it out, and set database.connections",
    ),
    (&["pool_timeout", "timeout", "logintimeout"], "leave it out, and set database.connect_timeout"),
    (
        &["statement_timeout", "socket_timeout", "sockettimeout", "command_timeout"],
        "leave it out, and set database.statement_timeout",
    ),
    (&["fallback_application_name", "applicationname"], "write application_name"),
    (&["replication"], "leave it out"),
    (&["min_protocol_version", "max_protocol_version"], "leave it out"),
    (&["username"], "write the user before the @, or as user"),
    (&["database"], "write the database after the /, or as dbname"),
];

/// Words of libpq that have a setting of ours, or a fixed value: taken, because they stand in many URLs and do no harm.
const WITHOUT_EFFECT: [&str; 7] = [
    "connect_timeout",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "keepalives_retries",
    "tcp_user_timeout",
];

/// Accepts a word that changes nothing, and refuses any other.
pub(super) fn refuse_word(key: &str, value: &str) -> Result<(), UrlFault> {
    if WITHOUT_EFFECT.contains(&key) {
        return Ok(());
    }
    if key == "target_session_attrs" {
        return refuse_session_attrs(value);
    }
    let lower = key.to_ascii_lowercase();
    let known = REFUSED.iter().find(|(words, _)| words.contains(&lower.as_str()));
    let remedy = known.map_or_else(
        || {
            "leave it out; known are user, password, host, hostaddr, port, dbname, sslmode, sslrootcert, sslnegotiation, \
             channel_binding, application_name, options, target_session_attrs and load_balance_hosts"
                .to_owned()
        },
        |(_, remedy)| (*remedy).to_owned(),
    );
    let shown: String = key.chars().take(40).collect();
    Err(fault(format!("has the parameter {shown:?}, which this program does not know"), remedy))
}

/// A server that takes no changes is never used, so these two ask for what is done anyway.
fn refuse_session_attrs(value: &str) -> Result<(), UrlFault> {
    if matches!(value, "any" | "read-write") {
        return Ok(());
    }
    let shown: String = value.chars().take(30).collect();
    Err(fault(
        format!("has the unknown target_session_attrs {shown:?}"),
        "leave it out: of several servers the first that takes changes is used",
    ))
}
