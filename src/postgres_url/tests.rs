//! What libpq reads, what it refuses, and that no fault repeats a password.

use super::*;

fn parse(rest: &str) -> PostgresUrl {
    PostgresUrl::parse(&format!("postgres://{rest}")).map_err(|fault| format!("{rest}: {fault:?}")).unwrap()
}

fn refused(rest: &str) -> String {
    match PostgresUrl::parse(&format!("postgres://{rest}")) {
        Ok(url) => panic!("{rest}: {}", url.servers()),
        Err(UrlFault { problem, remedy }) => format!("{problem}; {remedy}"),
    }
}

#[test]
fn hosts_are_read_as_libpq_reads_them() {
    for (rest, servers) in [
        ("u:p@db/x", "db:5432"),
        ("u:p@db:6432/x", "db:6432"),
        ("u:p@[::1]:6432/x", "[::1]:6432"),
        ("u:p@h1:5433,h2:5434/x", "h1:5433, h2:5434"),
        ("u:p@h1,h2:5434/x", "h1:5432, h2:5434"),
        ("u:p@/x?host=a,b&port=5433,5434", "a:5433, b:5434"),
        ("u:p@/x?host=a,b&port=5433", "a:5433, b:5433"),
        ("/x?host=a&user=u", "a:5432"),
        ("u@%2Fvar%2Frun%2Fpostgresql/x", "/var/run/postgresql/.s.PGSQL.5432"),
        ("u@%2Frun:6000/x", "/run/.s.PGSQL.6000"),
        ("u@/x?host=/var/run/postgresql&port=6000", "/var/run/postgresql/.s.PGSQL.6000"),
        ("u@/x?hostaddr=127.0.0.1", "127.0.0.1:5432"),
        ("u@db/x?hostaddr=127.0.0.1", "db:5432"),
    ] {
        assert_eq!(parse(rest).servers(), servers, "{rest}");
    }
}

#[test]
fn user_password_and_database_are_unescaped_and_a_plus_is_a_plus() {
    let url = parse("u%40x:a%40b%2Fc%3Fd%25+#e:f@db/my%20base?application_name=a+b&options=-c%20x%3Dy");

    assert_eq!(url.user.as_deref(), Some("u@x"));
    assert_eq!(url.password.as_deref(), Some("a@b/c?d%+#e:f"));
    assert_eq!(url.database.as_deref(), Some("my base"));
    assert_eq!(url.application_name.as_deref(), Some("a+b"));
    assert_eq!(url.options.as_deref(), Some("-c x=y"));
    assert_eq!(parse("u:1@db/x?password=2").password.as_deref(), Some("2"));
}

#[test]
fn a_password_that_should_have_been_escaped_is_refused_with_the_remedy_and_never_shown() {
    for (rest, remedy) in [
        ("u:sec@ret99@db:5432/x", "%40"),
        ("u:sec/ret99@db:5432/x", "%2F"),
        ("u:sec@ret/99@db/x", "%40"),
        ("u:sec?ret99@db/x", "%3F"),
        ("u:123?ret99@db/x", "%3F"),
        ("u:123/ret99@db/x", "%2F"),
        ("u:sec%ret99@db/x", "%25"),
        ("u:secret99%@db/x", "%25"),
        ("u:secret99", "%XX"),
        ("u:secret99/x", "%XX"),
        ("u:sec ret99@db/x", "%XX"),
        ("u:sec@ret99:1@db/x?password=y", "%40"),
    ] {
        let text = refused(rest);
        assert!(text.contains(remedy), "{rest}: {text}");
        for piece in ["sec", "ret", "99", "123"] {
            assert!(!text.contains(piece), "{rest}: {text}");
        }
    }
}

#[test]
fn a_word_that_is_not_done_is_refused_by_name_and_with_what_to_do() {
    for (query, remedy) in [
        ("gssencmode=disable", "leave it out"),
        ("sslcert=a.pem", "password"),
        ("sslkey=a.pem", "leave it out"),
        ("client_encoding=UTF8", "UTF-8"),
        ("passfile=/x", "database.url_file"),
        ("pgbouncer=true", "pool_mode = session"),
        ("schema=uptime", "search_path"),
        ("currentSchema=uptime", "search_path"),
        ("connection_limit=5", "database.connections"),
        ("statement_timeout=5", "database.statement_timeout"),
        ("target_session_attrs=primary", "leave it out"),
        ("target_session_attrs=prefer-standby", "leave it out"),
        ("ssl=true", "sslmode=require"),
        ("sslmode=verify", "verify-full"),
        ("channel_binding=maybe", "prefer"),
        ("wibble=1", "leave it out"),
        ("require_auth=scram-sha-256", "leave it out"),
    ] {
        let (word, value) = query.split_once('=').unwrap();
        let text = refused(&format!("u:p@db/x?{query}"));
        assert!(text.contains(word) && text.contains(remedy), "{query}: {text}");
        assert!(value.len() < 9 || matches!(word, "target_session_attrs") || !text.contains(value), "{text}");
    }
}

#[test]
fn words_that_change_nothing_or_are_done_anyway_are_taken() {
    let url = parse(
        "u:p@db/x?connect_timeout=10&keepalives=1&keepalives_idle=30&tcp_user_timeout=5&target_session_attrs=read-write\
         &load_balance_hosts=random&sslnegotiation=direct&channel_binding=require&sslmode=verify-ca&sslrootcert=/ca.pem",
    );

    assert!(url.any_order && url.tls_at_once);
    assert_eq!((url.ssl_mode, url.channel_binding), (SslMode::VerifyCa, ChannelBinding::Require));
    assert_eq!(url.root_cert, Some(PathBuf::from("/ca.pem")));
    assert_eq!(parse("u:p@db/x?sslrootcert=system").root_cert, None);
}

#[test]
fn what_names_no_server_or_too_many_is_refused() {
    for rest in [
        "",
        "/x",
        "u:p@/x",
        "u:p@db:0/x",
        "u:p@db:65536/x",
        "u:p@db:x/x",
        "u:p@[::1/x",
        "u:p@::1/x",
        "u:p@a,b,/x",
        "u@/x?host=a,b&port=1,2,3",
        "u@/x?host=a&hostaddr=127.0.0.1,127.0.0.2",
        "u@db/x?hostaddr=localhost",
        "u@db/x?a",
        "u@db/x%00",
    ] {
        refused(rest);
    }
}
