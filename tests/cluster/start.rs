//! Services that are away at the start, or will never have us.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::cluster::Cluster;
use crate::servers::{self, Kafka, Postgres, Proxy};

#[test]
fn roles_wait_for_their_services_naming_them_and_go_on_by_themselves() {
    let (Some(postgres), Some(kafka)) = (Postgres::start(), Kafka::start(1)) else { return };
    let cluster = Cluster::with_kafka(&postgres, &kafka);
    cluster.import_load();
    postgres.stop_fast();
    kafka.stop_node(1);

    let roles = ["scheduler", "worker", "consumer"].map(|role| cluster.spawn(role));
    let server = postgres.address().to_string();
    roles.iter().for_each(|role| role.says(&server));
    postgres.start_again();
    roles[1].says(kafka.brokers());
    roles[0].says("watching");
    kafka.start_node(1);
    roles.iter().for_each(|role| role.says("watching"));
    cluster.records_more(300);

    let [scheduler, ..] = roles;
    cluster.assert_every_slot_once(vec![scheduler], 300);
}

#[test]
fn a_start_that_is_held_up_after_it_has_reached_the_database_waits_and_goes_on() {
    let Some(postgres) = servers::postgres() else { return };
    let cluster = Cluster::with_local_log(postgres);
    let site = "[[site]]\nname = \"shop\"\nurl = \"http://127.0.0.1:9/\"\n";
    std::fs::write(cluster.path("uptime.toml"), site).unwrap();
    assert_eq!(cluster.cli("migrate").code, Some(0));

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let other = runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&cluster.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE site_config").await.unwrap();
        client
    });
    let scheduler = cluster.spawn("scheduler");
    scheduler.says("fails and will be tried again");
    runtime.block_on(other.batch_execute("ROLLBACK")).unwrap();

    scheduler.says("watching");
    assert_eq!(cluster.number("SELECT count(*) FROM site_config"), 1);
    scheduler.kill();
}

#[test]
fn orders_are_heard_while_a_reload_waits_for_a_database_that_does_not_answer() {
    let Some(postgres) = servers::postgres() else { return };
    let cluster = Cluster::with_local_log(postgres);
    let network = Proxy::to(postgres.address());
    let file = |path: &str| format!("[[site]]\nname = \"shop\"\nurl = \"http://127.0.0.1:9/{path}\"\n");
    std::fs::write(cluster.path("uptime.toml"), file("old")).unwrap();
    let scheduler = cluster.spawn_with("scheduler", &[("database.url", &network.url(&cluster.url))]);
    scheduler.says("watching");

    network.cut();
    std::fs::write(cluster.path("uptime.toml"), file("new")).unwrap();
    scheduler.signal(Signal::SIGHUP);
    // Not a wait for anything: the order to reload has come, and waits.
    std::thread::sleep(Duration::from_secs(1));
    scheduler.signal(Signal::SIGTERM);

    let done = scheduler.ends_within(Duration::from_secs(6));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("stopped"), "{done:?}");
}

#[test]
fn a_role_that_waits_stops_when_told_to() {
    let Some(postgres) = servers::postgres() else { return };
    let cluster = Cluster::with_local_log(postgres).with("database.url", "postgres://u:p@127.0.0.1:1/x");

    let scheduler = cluster.spawn("scheduler");
    scheduler.says("127.0.0.1:1");
    scheduler.signal(Signal::SIGTERM);

    assert_eq!(scheduler.ends().code, Some(0));
}

#[test]
fn commands_end_with_3_and_a_sentence_when_the_database_is_away_or_refuses() {
    let Some(postgres) = servers::postgres() else { return };
    let cluster = Cluster::with_local_log(postgres);
    let says = |url: &str, words: &[&str]| {
        let done =
            crate::process::Process::spawn(cluster.command("sites list").env("UPTIME__DATABASE__URL", url))
                .ends();
        assert_eq!((done.code, done.out.as_str()), (Some(3), ""), "{done:?}");
        assert!(!done.err.contains("hunter2") && done.err.lines().count() == 1, "{done:?}");
        for word in words {
            assert!(done.err.contains(word), "{word}: {done:?}");
        }
    };
    let address = postgres.address();

    says("postgres://u:hunter2@127.0.0.1:1/x", &["127.0.0.1:1"]);
    says(&format!("postgres://uptime:hunter2@{address}/uptime"), &["password", "uptime"]);
    says(&format!("postgres://nobody:hunter2@{address}/uptime"), &["nobody"]);
    says(&cluster.url.replace("/test_", "/none_"), &["does not exist", "CREATE DATABASE"]);
    says("postgres://u:hunter2@no-such-host.invalid/x", &["no-such-host.invalid"]);
}
