//! The ways to name a server: a socket, several hosts, and what is refused.

use uptime_monitor::database::postgres::Postgres;
use uptime_monitor::failure::chain;
use url::Url;

use crate::common::world::settings;
use crate::servers;

/// The same database through the socket in the server's folder.
fn by_socket(server: &servers::Postgres, url: &str) -> [String; 2] {
    let url = Url::parse(url).unwrap();
    let (folder, port, name) = (server.folder(), url.port().unwrap(), url.path());
    let escaped = folder.replace('/', "%2F");
    [
        format!("postgres://uptime:uptime@{escaped}:{port}{name}"),
        format!("postgres://uptime:uptime@{name}?host={folder}&port={port}&sslmode=prefer"),
    ]
}

#[actix::test]
async fn a_socket_is_a_server_like_any_other() {
    let Some(server) = servers::Postgres::start() else { return };
    let url = server.fresh_database();

    for url in by_socket(&server, &url) {
        let database =
            Postgres::open(settings(&url)).await.unwrap_or_else(|error| panic!("{url}: {}", chain(&error)));
        database.migrate().await.unwrap();
    }
    let nowhere = "postgres://uptime:uptime@%2Fno%2Fsuch%2Ffolder/x";
    let Err(error) = Postgres::open(settings(nowhere)).await else { panic!("nobody is there") };
    assert!(error.may_heal(), "{error:?}");
    let text = chain(&error);
    assert!(
        text.contains("/no/such/folder/.s.PGSQL.5432") && text.contains("unix_socket_directories"),
        "{text}"
    );
}

#[actix::test]
async fn of_several_servers_the_first_that_takes_changes_is_used() {
    let Some(server) = servers::postgres() else { return };
    let url = server.fresh_database();
    let address = server.address().to_string();
    let read_only = server.fresh_database();
    let name = Url::parse(&url).unwrap().path().to_owned();

    for hosts in [
        format!("127.0.0.1:1,{address}"),
        format!("{address},127.0.0.1:1"),
        format!("no-such-host.invalid,{address}"),
    ] {
        let url = format!("postgres://uptime:uptime@{hosts}{name}");
        Postgres::open(settings(&url)).await.unwrap_or_else(|error| panic!("{url}: {}", chain(&error)));
    }
    let (host, port) = address.split_once(':').unwrap();
    let listed = format!("postgres://uptime:uptime@{name}?host={host},{host}&port=1,{port}");
    Postgres::open(settings(&listed)).await.unwrap();

    server.ask(
        &read_only,
        &format!("ALTER DATABASE {} SET default_transaction_read_only = on", database_name(&read_only)),
    );
    let none = format!("postgres://uptime:uptime@127.0.0.1:1,{address}/{}", database_name(&read_only));
    let Err(error) = Postgres::open(settings(&none)).await else { panic!("none takes changes") };
    let text = chain(&error);
    for word in ["127.0.0.1:1: connection refused", "default_transaction_read_only", &address] {
        assert!(text.contains(word) && error.may_heal(), "{word}: {text}");
    }
}

#[actix::test]
async fn a_url_that_should_have_been_escaped_is_refused_without_a_word_of_the_password() {
    let Err(error) = Postgres::open(settings("postgres://u:sec@ret99@127.0.0.1:1/x")).await else {
        panic!("it is refused")
    };

    let text = chain(&error);
    assert!(!error.may_heal() && text.contains("%40"), "{text}");
    assert!(!text.contains("sec") && !text.contains("ret99"), "{text}");
}

fn database_name(url: &str) -> String {
    Url::parse(url).unwrap().path().trim_start_matches('/').to_owned()
}
