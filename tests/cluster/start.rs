//! Services that are away at the start, or will never have us.

use nix::sys::signal::Signal;

use crate::cluster::Cluster;
use crate::servers::{self, Kafka, Postgres};

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
