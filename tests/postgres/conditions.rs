//! Servers in a condition of their own: read-only, of another encoding or language, without privileges or connections.

use uptime_monitor::database::DatabaseError;
use uptime_monitor::database::postgres::Postgres;
use uptime_monitor::failure::chain;
use uptime_monitor::queue::JobQueue as _;
use uptime_monitor::store::ResultStore as _;
use url::Url;

use crate::common::batch;
use crate::common::world::settings;
use crate::{Shop, assert_says, found, refusal, servers};

fn name(url: &str) -> String {
    Url::parse(url).unwrap().path().trim_start_matches('/').to_owned()
}

/// Ends the sessions of the database of `url`, so that new ones are made.
fn end_sessions(server: &servers::Postgres, url: &str) {
    server.ask(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()",
    );
}

#[actix::test]
async fn a_database_that_took_no_changes_for_a_while_is_used_again_at_once() {
    let Some(shop) = Shop::with_sites(1, 1).await else { return };
    shop.queue.enqueue_due().await.unwrap();
    let set = format!("ALTER DATABASE {} SET default_transaction_read_only", name(&shop.url));

    shop.ask(&format!("{set} = on"));
    end_sessions(shop.server, &shop.url);
    // The first may still find that its session was ended.
    let _ = shop.queue.enqueue_due().await;
    let text = chain(&shop.queue.enqueue_due().await.unwrap_err());
    assert_says(
        &text,
        &["takes no changes", "default_transaction_read_only", &shop.server.address().to_string()],
    );

    // By way of another database, since in this one nobody may change anything.
    let reset = format!("ALTER DATABASE {} RESET default_transaction_read_only", name(&shop.url));
    shop.server.ask(shop.server.url(), &reset);
    shop.queue.enqueue_due().await.unwrap();
    shop.store.persist(&batch(vec![found(1, uptime_monitor::clock::Clock::system().now())])).await.unwrap();
}

#[actix::test]
async fn an_encoding_that_cannot_hold_every_text_is_refused_at_the_start() {
    let Some(server) = servers::postgres() else { return };
    let made_with = |encoding: &str| {
        let name = servers::unique_name("test");
        server.ask(
            server.url(),
            &format!(
                "CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
            ),
        );
        let mut url = Url::parse(server.url()).unwrap();
        url.set_path(&name);
        String::from(url)
    };

    for encoding in ["LATIN1", "EUC_JP", "WIN1252"] {
        assert_says(
            &refusal(settings(&made_with(encoding))).await,
            &[encoding, "CREATE DATABASE", "ENCODING 'UTF8'"],
        );
    }
    let any_bytes = Postgres::open(settings(&made_with("SQL_ASCII"))).await.unwrap();
    any_bytes.migrate().await.unwrap();
}

#[actix::test]
async fn values_that_the_server_refuses_are_told_from_a_server_that_refuses() {
    let Some(shop) = Shop::with_sites(1, 60).await else { return };
    let now = uptime_monitor::clock::Clock::system().now();
    let mut odd = found(1, now);
    odd.status = uptime_monitor::model::Status::Down;
    shop.ask("ALTER TABLE ping_status ADD CHECK (status <> 'down')");

    let error = shop.store.persist(&batch(vec![odd])).await.unwrap_err();
    assert!(!error.may_heal() && chain(&error).contains("23514"), "{error:?}");

    shop.ask("ALTER TABLE ping_status RENAME TO elsewhere");
    let error = shop.store.persist(&batch(vec![found(1, now)])).await.unwrap_err();
    assert!(error.may_heal() && chain(&error).contains("42P01"), "{error:?}");
}

/// A server of one's own with a role that may do little, and the URL of its database.
fn with_role(server: &servers::Postgres, role: &str, options: &str) -> String {
    let url = server.fresh_database();
    server.ask(&url, &format!("CREATE ROLE {role} PASSWORD 'pw' {options}"));
    let mut url = Url::parse(&url).unwrap();
    url.set_username(role).unwrap();
    url.set_password(Some("pw")).unwrap();
    url.into()
}

async fn migration_refusal(url: &str) -> String {
    let error = Postgres::open(settings(url)).await.unwrap().migrate().await.unwrap_err();
    assert!(matches!(error, DatabaseError::Refused { .. }), "{error:?}");
    chain(&error)
}

#[actix::test]
async fn a_role_that_lacks_something_is_told_what() {
    let Some(server) = servers::Postgres::start() else { return };
    let stranger = with_role(&server, "stranger", "LOGIN");
    server.ask(&stranger, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    let lost = with_role(&server, "lost", "LOGIN");
    server.ask(&lost, "ALTER ROLE lost SET search_path = nowhere");
    let crowded = with_role(&server, "crowded", "LOGIN CONNECTION LIMIT 0");
    let shut = with_role(&server, "shut", "NOLOGIN");

    assert_says(&migration_refusal(&stranger).await, &["GRANT CREATE ON SCHEMA public TO \"stranger\""]);
    assert_says(&migration_refusal(&lost).await, &["search_path", "RESET search_path"]);
    assert_says(&refusal(settings(&shut)).await, &["ALTER ROLE \"shut\" LOGIN"]);
    let Err(error) = Postgres::open(settings(&crowded)).await else { panic!("it has no connection") };
    assert!(error.may_heal(), "{error:?}");
    assert_says(&chain(&error), &["ALTER ROLE \"crowded\" CONNECTION LIMIT"]);
    assert!(!chain(&error).contains("max_connections"), "{}", chain(&error));
}

/// Makes the server speak `language`; false where this machine cannot.
fn speaks(server: &servers::Postgres, url: &str, language: &str) -> bool {
    let known = server.ask(
        url,
        &format!("SELECT count(*) FROM pg_collation WHERE lower(replace(collname, '-', '')) = lower('{language}.utf8')"),
    );
    if known == "0" {
        return false;
    }
    server.ask(url, &format!("ALTER SYSTEM SET lc_messages = '{language}.utf8'"));
    server.ask(url, "SELECT pg_reload_conf()");
    true
}

#[actix::test]
async fn a_server_is_understood_in_its_own_language() {
    let Some(server) = servers::Postgres::start_with_tls() else { return };
    let plain = server.url().replace("verify-full", "disable");
    for language in ["de_DE", "ja_JP"] {
        // The remedies hang on no word of the server, so where it speaks English only they are tested in English.
        speaks(&server, &plain, language);
        let with = |url: &str| {
            let settings = settings(url);
            uptime_monitor::database::postgres::PostgresSettings {
                ca_file: Some(server.ca_file().to_owned()),
                ..settings
            }
        };

        assert_says(&refusal(with(&plain)).await, &["sslmode=require"]);
        assert_says(
            &refusal(with(&server.url().replace(":uptime@", ":hunter2@"))).await,
            &["check user and password"],
        );
        let database = Postgres::open(with(server.url())).await.unwrap();
        database.migrate().await.unwrap();
        let queue = uptime_monitor::queue::postgres::PostgresJobQueue::new(database);
        queue.depth().await.unwrap();
        server.ask(&plain, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'uptime'");
        // Whether or not its session is known to be gone, the next call but one has a new one.
        if let Err(uptime_monitor::queue::QueueError::Database(error)) = queue.depth().await {
            assert!(matches!(error, DatabaseError::Unreachable { .. }), "{error:?}");
        }
        queue.depth().await.unwrap();
    }
}
