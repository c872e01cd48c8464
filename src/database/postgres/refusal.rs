//! Why a server will not have us, or cannot be reached: told apart, because what to do differs.

use std::error::Error as StdError;
use std::io;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use tokio_postgres::error::{DbError, SqlState};

use super::address::Address;
use super::pool::Trouble;
use crate::failure::chain;
use crate::trust;

/// Why a connection could not be made.
pub(super) fn explain(error: &tokio_postgres::Error, address: &Address) -> Trouble {
    if let Some(answer) = error.as_db_error() {
        return explain_answer(answer, address);
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return explain_tls(tls);
    }
    // The client library gives its errors no kinds, only texts.
    let text = chain(error);
    let starts = |beginning: &str| text.starts_with(beginning);
    if starts("invalid configuration") || starts("authentication error") {
        let remedy = format!("check user and password in database.url (user {:?})", address.user());
        return refused(text, remedy);
    }
    if starts("error performing TLS handshake") {
        return explain_no_tls(text);
    }
    if starts("error parsing response") || starts("unexpected message") {
        return not_postgres();
    }
    Trouble::Away(explain_io(error, &text))
}

fn refused(message: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble::Refused { message: message.into(), remedy: remedy.into() }
}

fn not_postgres() -> Trouble {
    refused("what answers there is no PostgreSQL", "check host and port in database.url")
}

/// The server has answered, with an error of its own.
fn explain_answer(answer: &DbError, address: &Address) -> Trouble {
    let (user, database) = (address.user(), address.database());
    let message = answer.message().to_owned();
    match *answer.code() {
        SqlState::INVALID_PASSWORD => {
            refused(message, format!("check user and password in database.url (user {user:?})"))
        }
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION if message.contains("no encryption") => refused(
            message,
            "the server may want TLS: set sslmode=require in database.url, or let its pg_hba.conf admit us without".to_owned(),
        ),
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => refused(
            message,
            format!(
                "create the role (CREATE ROLE \"{user}\" LOGIN PASSWORD '…'), or let the server's pg_hba.conf admit it from here"
            ),
        ),
        SqlState::INVALID_CATALOG_NAME => refused(
            message,
            format!("create it (CREATE DATABASE \"{database}\" OWNER \"{user}\"), or correct database.url"),
        ),
        SqlState::INSUFFICIENT_PRIVILEGE => {
            refused(message, format!("GRANT CONNECT ON DATABASE \"{database}\" TO \"{user}\""))
        }
        SqlState::TOO_MANY_CONNECTIONS => Trouble::Away(format!(
            "{message}; lower database.connections here, or raise max_connections there"
        )),
        _ if may_pass(answer.code()) => Trouble::Away(message),
        _ => refused(message, "see the server's log"),
    }
}

/// Classes of the standard: connection (08), resources (53), an operator or a start (57), the system (58).
fn may_pass(code: &SqlState) -> bool {
    ["08", "53", "57", "58"].contains(&code.code().get(..2).unwrap_or_default())
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

fn explain_io(error: &tokio_postgres::Error, text: &str) -> String {
    let Some(cause) = find::<io::Error>(error) else {
        return text.to_owned();
    };
    match cause.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused; is the server running there?".to_owned(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            "it closed the connection at once; it may be starting, or be no PostgreSQL".to_owned()
        }
        io::ErrorKind::TimedOut => "no answer".to_owned(),
        _ if text.contains("lookup") => format!("the host name does not resolve: {cause}"),
        _ => cause.to_string(),
    }
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

/// Why a server that answers is of no use.
pub(super) fn unfit(version: i32, oldest: i32, name: &str, standby: bool) -> Option<Trouble> {
    if version < oldest {
        let oldest = oldest / 10_000;
        return Some(refused(
            format!("it is PostgreSQL {name}"),
            format!("upgrade it to PostgreSQL {oldest} or newer"),
        ));
    }
    standby.then(|| refused("it is a standby, which takes no changes", "give the address of the primary"))
}

/// What was said when the connection under a statement went away; `None` for any other error.
pub(super) fn lost_connection(error: &(dyn StdError + 'static)) -> Option<String> {
    let DieselError::DatabaseError(kind, info) = find::<DieselError>(error)? else { return None };
    // There is no SQLSTATE here; these are the messages of 57P01, 57P02, 57P03 and 57P05.
    let ends = ["terminating connection", "the database system is"];
    let gone = matches!(kind, DatabaseErrorKind::UnableToSendCommand | DatabaseErrorKind::ClosedConnection)
        || ends.iter().any(|beginning| info.message().starts_with(beginning));
    gone.then(|| info.message().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::DatabaseError;

    const OLDEST: i32 = 140_000;

    fn refusal(trouble: Option<Trouble>) -> String {
        match trouble.unwrap().at("db:5432") {
            error @ DatabaseError::Refused { .. } => error.to_string(),
            other => panic!("not refused: {other}"),
        }
    }

    #[test]
    fn a_server_that_is_too_old_is_refused_by_its_version() {
        let text = refusal(unfit(130_014, OLDEST, "13.14 (Debian 13.14-1)", false));

        assert_eq!(
            text,
            "PostgreSQL at db:5432 refused: it is PostgreSQL 13.14 (Debian 13.14-1); upgrade it to PostgreSQL 14 or newer"
        );
        // It is the version that has to change first.
        assert_eq!(text, refusal(unfit(130_014, OLDEST, "13.14 (Debian 13.14-1)", true)));
    }

    #[test]
    fn a_standby_is_refused_and_the_primary_asked_for() {
        assert_eq!(
            refusal(unfit(140_000, OLDEST, "14.0", true)),
            "PostgreSQL at db:5432 refused: it is a standby, which takes no changes; give the address of the primary"
        );
    }

    #[test]
    fn the_oldest_version_that_is_not_too_old_is_fit() {
        assert!(unfit(OLDEST, OLDEST, "14.0", false).is_none());
        assert!(unfit(180_001, OLDEST, "18.1", false).is_none());
    }
}
