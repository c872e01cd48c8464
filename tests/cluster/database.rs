//! PostgreSQL crashed, restarted, and one of its backends frozen.

use std::collections::HashMap;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::servers::{self, Postgres};

#[test]
fn postgresql_that_crashes_and_comes_back_costs_no_slot_and_repeats_none() {
    let (Some(postgres), Some(kafka)) = (Postgres::start(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(&postgres, kafka);
    cluster.import_load();
    let scheduler = cluster.start("scheduler");
    let _others = ["scheduler", "worker", "worker", "consumer", "consumer"].map(|role| cluster.start(role));
    cluster.records_more(300);

    for pause_ms in [500, 3_000] {
        postgres.stop_immediate();
        std::thread::sleep(Duration::from_millis(pause_ms));
        postgres.start_again();
        cluster.records_more(600);
    }
    let [second, ..] = _others;

    cluster.assert_every_slot_once(vec![scheduler, second], 1_500);
}

#[test]
fn without_kafka_a_crash_of_postgresql_costs_no_slot_either() {
    let Some(postgres) = Postgres::start() else { return };
    let cluster = Cluster::with_local_log(&postgres);
    cluster.import_load();
    let scheduler = cluster.start("scheduler");
    let _workers = ["worker", "worker"].map(|role| cluster.start(role));
    cluster.records_more(300);

    postgres.stop_immediate();
    std::thread::sleep(Duration::from_secs(1));
    postgres.start_again();
    cluster.records_more(600);

    cluster.assert_every_slot_once(vec![scheduler], 900);
}

#[test]
fn a_frozen_backend_delays_whoever_waits_for_it_and_nobody_else() {
    let (Some(postgres), Some(kafka)) = (Postgres::start(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(&postgres, kafka).with("database.statement_timeout", "3s");
    cluster.import_load();
    let scheduler = cluster.start("scheduler");
    let _others = ["worker", "consumer"].map(|role| cluster.start(role));
    cluster.records_more(300);

    for backend in postgres.backends(&cluster.url) {
        let frozen = postgres.freeze(backend);
        std::thread::sleep(Duration::from_secs(2));
        drop(frozen);
    }
    // One without a transaction, whose locks would hold up everybody.
    let idle =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle' LIMIT 1";
    let frozen = postgres.freeze(i32::try_from(cluster.number(idle)).unwrap());
    cluster.records_more(600);
    drop(frozen);

    cluster.assert_every_slot_once(vec![scheduler], 900);
}

#[test]
fn backends_that_stay_frozen_for_longer_than_we_wait_are_given_up_and_cost_no_slot_when_they_thaw() {
    let (Some(postgres), Some(kafka)) = (Postgres::start(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(&postgres, kafka).with("database.statement_timeout", "3s");
    cluster.import_load();
    let roles = ["scheduler", "worker", "consumer"].map(|role| cluster.start(role));
    cluster.records_more(300);

    // All of them: some in the middle of a statement or of a transaction; and those that are opened instead, as they come.
    let mut frozen = HashMap::new();
    cluster.eventually("a frozen backend is given up", || {
        for backend in postgres.backends(&cluster.url) {
            frozen.entry(backend).or_insert_with(|| postgres.freeze(backend));
        }
        // The statement's time and five seconds, in which the server could have said so itself. Who finds a connection only
        // frozen when he takes it or opens it says something else, so it need not be every role.
        roles.iter().any(|role| role.err().contains("no answer from PostgreSQL within 8s"))
    });
    drop(frozen);
    cluster.records_more(600);

    let [scheduler, ..] = roles;
    cluster.assert_every_slot_once(vec![scheduler], 900);
}
