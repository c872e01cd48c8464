//! Why a server will not have us, or cannot be reached: told apart, because what to do differs.
//!
//! By SQLSTATE, and where one SQLSTATE means several things by the function of the server that said it: a server's texts are
//! in its own language (`lc_messages`). The texts that are compared here are those of the client library, which has no kinds.

use std::error::Error as StdError;
use std::io;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio_postgres::error::{DbError, SqlState};

use super::address::Address;
use super::dial::in_words;
use super::ear::Said;
use super::trouble::Trouble;
use crate::database::DatabaseError;
use crate::failure::chain;
use crate::trust;

/// Of a server that is one.
pub(super) const STANDBY: &str = "it is a standby, which takes no changes; if that does not end by itself, give the address of the primary";

/// Of a session that is.
pub(super) const READ_ONLY: &str = "it takes no changes (default_transaction_read_only is on); if that does not end by itself, \
     reset it for the role, the database or the server: ALTER ROLE … RESET default_transaction_read_only, and the same for \
     ALTER DATABASE and ALTER SYSTEM; a provider may have set it because the disk is full";

/// As whom, and how, a login was tried.
pub(super) struct Login<'a> {
    pub(super) address: &'a Address,
    pub(super) encrypted: bool,
}

/// Why a connection could not be made.
pub(super) fn explain(error: &tokio_postgres::Error, login: &Login<'_>) -> Trouble {
    if let Some(answer) = error.as_db_error() {
        return explain_answer(answer, login);
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return explain_tls(tls);
    }
    // The client library gives its errors no kinds, only texts.
    let text = chain(error);
    let starts = |beginning: &str| text.starts_with(beginning);
    if starts("invalid configuration") || starts("authentication error") {
        let remedy = format!("check user and password in database.url (user {:?})", login.address.user());
        return refused(text, remedy);
    }
    if starts("error performing TLS handshake") {
        return explain_no_tls(text);
    }
    if starts("error parsing response") || starts("unexpected message") {
        return not_postgres();
    }
    Trouble::Away(find::<io::Error>(error).map_or(text, in_words))
}

/// Why a question could not be answered that any fit server answers, soon after a login.
pub(super) fn explain_statement(error: &tokio_postgres::Error) -> Trouble {
    let Some(answer) = error.as_db_error() else { return Trouble::Away(chain(error)) };
    let message = answer.message().to_owned();
    match *answer.code() {
        // Prepared by another client, in a session that was to be ours alone.
        SqlState::DUPLICATE_PSTATEMENT | SqlState::INVALID_SQL_STATEMENT_NAME => shared_session(),
        _ if may_pass(answer.code()) => Trouble::Away(message),
        _ => refused(message, "see the server's log"),
    }
}

/// What a pooler does that is none for us.
pub(super) fn shared_session() -> Trouble {
    refused(
        "a pooler gives one session of PostgreSQL to several connections in turn (transaction or statement pooling)",
        "give each its own (PgBouncer: pool_mode = session for this database), or name PostgreSQL itself in database.url",
    )
}

pub(super) fn refused(message: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble::Refused { message: message.into(), remedy: remedy.into() }
}

fn not_postgres() -> Trouble {
    refused("what answers there is no PostgreSQL", "check host and port in database.url")
}

/// The server has answered, with an error of its own.
fn explain_answer(answer: &DbError, login: &Login<'_>) -> Trouble {
    let (user, database) = (login.address.user(), login.address.database());
    let message = answer.message().to_owned();
    match *answer.code() {
        SqlState::INVALID_PASSWORD => {
            refused(message, format!("check user and password in database.url (user {user:?})"))
        }
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            refused(message, admission(answer.routine(), login.encrypted, user))
        }
        SqlState::INVALID_CATALOG_NAME => refused(
            message,
            format!("create it (CREATE DATABASE \"{database}\" OWNER \"{user}\"), or correct database.url"),
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => {
            refused(message, format!("GRANT CONNECT ON DATABASE \"{database}\" TO \"{user}\""))
        }
        SqlState::TOO_MANY_CONNECTIONS => {
            Trouble::Away(format!("{message}; {}", more_connections(answer.routine(), login.address)))
        }
        SqlState::PROTOCOL_VIOLATION | SqlState::FEATURE_NOT_SUPPORTED
            if login.address.config.get_options().is_some() =>
        {
            refused(
                message,
                "leave options out of database.url, or let the pooler pass them (PgBouncer: ignore_startup_parameters = options)",
            )
        }
        _ if may_pass(answer.code()) => Trouble::Away(message),
        _ => refused(message, "see the server's log"),
    }
}

/// 28000 is said of a role that is not there or may not log in, and of a connection that no line of pg_hba.conf admits.
fn admission(routine: Option<&str>, encrypted: bool, user: &str) -> String {
    match routine {
        Some("ClientAuthentication") if !encrypted => {
            "set sslmode=require in database.url, if the server wants TLS, or let its pg_hba.conf admit us from here without"
                .to_owned()
        }
        Some("ClientAuthentication") => {
            format!("let the server's pg_hba.conf admit the user {user:?} from here")
        }
        _ => format!("create the role (CREATE ROLE \"{user}\" LOGIN PASSWORD '…'), or let it log in (ALTER ROLE \"{user}\" LOGIN)"),
    }
}

/// 53300 is said of a role's limit, of a database's, and of the server's.
fn more_connections(routine: Option<&str>, address: &Address) -> String {
    let theirs = match routine {
        Some("InitializeSessionUserId") => {
            format!("raise the limit of the role (ALTER ROLE \"{}\" CONNECTION LIMIT …)", address.user())
        }
        Some("CheckMyDatabase") => {
            format!(
                "raise that of the database (ALTER DATABASE \"{}\" CONNECTION LIMIT …)",
                address.database()
            )
        }
        _ => "raise max_connections there".to_owned(),
    };
    format!("lower database.connections here, or {theirs}")
}

/// Classes of the standard: connection (08), resources (53), an operator or a start (57), the system (58).
fn may_pass(code: &SqlState) -> bool {
    ["08", "53", "57", "58"].contains(&code.code().get(..2).unwrap_or_default())
}

/// What a migration needs and does not have; `None` for any other error.
pub(super) fn unmigratable(said: &Said, address: &Address) -> Option<Trouble> {
    let (user, database) = (address.user(), address.database());
    let remedy = match said.sqlstate.as_str() {
        "42501" => format!(
            "since PostgreSQL 15 a role may make tables only where it is allowed to: ALTER DATABASE \"{database}\" OWNER TO \"{user}\", or \
             GRANT CREATE ON SCHEMA public TO \"{user}\"; if the tables are another role's, log in as that one"
        ),
        "3F000" => format!(
            "search_path names no schema that is there: CREATE SCHEMA for one of them, or ALTER ROLE \"{user}\" RESET search_path"
        ),
        _ => return None,
    };
    Some(refused(said.message.clone(), remedy))
}

fn explain_tls(error: &rustls::Error) -> Trouble {
    match error {
        rustls::Error::InvalidCertificate(error) => refused(
            trust::explain_certificate(error),
            "give the CA that issued it in database.ca_file or sslrootcert, use the host name that stands in it, or accept any server with sslmode=require",
        ),
        rustls::Error::InvalidMessage(_) => not_postgres(),
        other => refused(
            format!("the TLS handshake failed: {other}"),
            "compare TLS versions and certificates on both sides",
        ),
    }
}

fn explain_no_tls(text: String) -> Trouble {
    if text.contains("does not support TLS") {
        return refused(
            "it offers no TLS",
            "set ssl = on in its postgresql.conf, or use sslmode=prefer where the network can be trusted",
        );
    }
    if find_text_of_io(&text) { Trouble::Away(text) } else { refused(text, "check sslmode in database.url") }
}

/// A connection that breaks during the handshake may work the next time.
fn find_text_of_io(text: &str) -> bool {
    ["reset", "eof", "closed", "timed out"].iter().any(|word| text.to_lowercase().contains(word))
}

/// The first cause of this type. `io::Error` hides what it carries from `source`.
fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<E>() {
            return Some(found);
        }
        let carried = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match carried {
            Some(carried) => Some(carried as &(dyn StdError + 'static)),
            None => cause.source(),
        };
    }
    None
}

/// Gives the error of a statement its SQLSTATE, or, where it is really a lost connection, the name of the server. Any other
/// error stays as it is.
pub(super) fn explain_failure<E>(error: E, said: Option<&Said>, server: &str) -> E
where
    E: From<DatabaseError> + StdError + 'static,
{
    let Some(failure) = find::<DieselError>(&error) else { return error };
    let answered = match failure {
        DieselError::DatabaseError(kind, info) if is_gone(kind) => {
            let message = said.filter(|said| said.fatal).map_or(info.message(), |said| said.message.as_str());
            Trouble::Away(message.to_owned()).at(server)
        }
        DieselError::DatabaseError(..)
        | DieselError::RollbackErrorOnCommit { .. }
        | DieselError::BrokenTransactionManager => match said {
            Some(said) if said.ends_session() => Trouble::Away(said.message.clone()).at(server),
            Some(said) => {
                DatabaseError::Answered { code: said.sqlstate.clone(), message: said.message.clone() }
            }
            None => return error,
        },
        _ => return error,
    };
    answered.into()
}

fn is_gone(kind: &DatabaseErrorKind) -> bool {
    matches!(kind, DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection)
}

impl Said {
    /// The server has ended the session, or is about to: an operator, a start or a stop (57P0x), a time limit on idling (25P0x).
    fn ends_session(&self) -> bool {
        self.fatal || self.sqlstate.starts_with("57P") || self.sqlstate.starts_with("08")
    }

    /// Whether the session is as good as before. It is after what concerns the statement alone: its data (22, 23, 54), its
    /// names and privileges (3F, 42), a conflict with others (40, 55), a time limit or a missing resource (53, 57014). All
    /// else throws the session away, which costs milliseconds: one that takes no changes (25006), whose prepared statements are
    /// gone or another's (26000, 42P05, 0A000), or that nobody has thought of here.
    pub(super) fn leaves_session_fit(&self) -> bool {
        const FIT: [&str; 8] = ["22", "23", "3F", "40", "42", "53", "54", "55"];
        let (code, class) = (self.sqlstate.as_str(), self.sqlstate.get(..2).unwrap_or_default());
        !self.ends_session() && code != "42P05" && (FIT.contains(&class) || code == "57014")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(sqlstate: &str) -> Said {
        Said { sqlstate: sqlstate.to_owned(), message: "in any language".to_owned(), ..Said::default() }
    }

    #[test]
    fn a_session_that_is_no_good_for_writing_is_thrown_away_and_a_refused_statement_costs_none() {
        for code in [
            "25006", "25P02", "25P03", "25P04", "57P01", "57P05", "08006", "26000", "42P05", "0A000", "XX000",
        ] {
            assert!(!said(code).leaves_session_fit(), "{code}");
        }
        for code in ["23505", "22P05", "40001", "40P01", "42501", "55P03", "57014", "53100"] {
            assert!(said(code).leaves_session_fit(), "{code}");
        }
        assert!(!Said { fatal: true, ..said("53300") }.leaves_session_fit());
    }

    #[test]
    fn an_error_gets_its_sqlstate_and_a_lost_connection_the_name_of_the_server() {
        let failed = |kind| {
            DatabaseError::from(DieselError::DatabaseError(kind, Box::new("FEHLER: irgendwas".to_owned())))
        };
        let explained = |kind, said: Option<Said>| explain_failure(failed(kind), said.as_ref(), "db:5432");
        let unknown = || DatabaseErrorKind::Unknown;

        assert_eq!(explained(unknown(), Some(said("40P01"))).sqlstate(), Some("40P01"));
        let stopped = explained(unknown(), Some(Said { fatal: true, ..said("57P01") }));
        assert!(
            matches!(&stopped, DatabaseError::Unreachable { server, .. } if server == "db:5432"),
            "{stopped:?}"
        );
        let broken = explained(DatabaseErrorKind::UnableToSendCommand, Some(said("22003")));
        assert!(matches!(broken, DatabaseError::Unreachable { .. }), "{broken:?}");
        assert!(matches!(explained(unknown(), None), DatabaseError::Statement(_)));
    }

    #[test]
    fn one_sqlstate_for_several_reasons_is_told_apart_by_who_says_it() {
        let address = Address::parse("postgres://u:p@db/x").unwrap();
        // The functions, as PostgreSQL 14 to 18 name them.
        let limits = [
            ("InitializeSessionUserId", "ALTER ROLE \"u\""),
            ("CheckMyDatabase", "ALTER DATABASE \"x\""),
            ("InitProcess", "max_connections"),
        ];
        for (routine, remedy) in limits {
            let text = more_connections(Some(routine), &address);
            assert!(text.contains(remedy) && text.contains("database.connections"), "{text}");
        }
        assert!(admission(Some("ClientAuthentication"), false, "u").contains("sslmode=require"));
        assert!(admission(Some("ClientAuthentication"), true, "u").contains("pg_hba.conf"));
        assert!(admission(Some("InitializeSessionUserId"), false, "u").contains("CREATE ROLE"));
    }

    #[test]
    fn a_migration_that_lacks_a_privilege_or_a_schema_has_its_remedy() {
        let address = Address::parse("postgres://u:p@db/x").unwrap();
        for (code, remedy) in [("42501", "GRANT CREATE ON SCHEMA public"), ("3F000", "search_path")] {
            let error = unmigratable(&said(code), &address).unwrap().at("db:5432");
            assert!(!error.may_heal() && error.to_string().contains(remedy), "{error}");
        }
        assert!(unmigratable(&said("42601"), &address).is_none());
    }
}
