//! Kafka killed, stopped for a while, and one of three nodes lost.

use std::time::Duration;

use crate::cluster::{Cluster, free_address};
use crate::process::Process;
use crate::servers::{self, Kafka};

/// One process of each role.
fn trio(cluster: &Cluster<'_>) -> [Process; 3] {
    ["scheduler", "worker", "consumer"].map(|role| cluster.start(role))
}

#[test]
fn a_broker_that_is_killed_and_comes_back_costs_no_result() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), Kafka::start(1)) else { return };
    let cluster = Cluster::with_kafka(postgres, &kafka);
    cluster.import_load();
    let [scheduler, _worker, _consumer] = trio(&cluster);
    cluster.records_more(300);

    kafka.kill(1);
    std::thread::sleep(Duration::from_secs(2));
    kafka.start_node(1);
    cluster.records_more(600);

    let audit = cluster.assert_every_slot_once(vec![scheduler], 900);
    assert_eq!(cluster.gaps_while_scheduled(), 0, "{audit:?}");
}

#[test]
fn a_node_of_three_that_is_killed_is_hardly_noticed() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), Kafka::start(3)) else { return };
    let cluster = Cluster::with_kafka(postgres, &kafka);
    cluster.import_load();
    let [scheduler, _worker, _consumer] = trio(&cluster);
    cluster.records_more(300);

    kafka.kill(2);
    cluster.records_more(600);
    kafka.start_node(2);
    kafka.kill(1);
    cluster.records_more(600);

    cluster.assert_every_slot_once(vec![scheduler], 1_500);
}

#[test]
fn while_kafka_is_away_checks_go_on_until_the_buffer_is_full_then_pause_and_then_catch_up() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), Kafka::start(1)) else { return };
    let cluster = Cluster::with_kafka(postgres, &kafka).with("result_log.capacity", "600");
    cluster.import_load();
    let health = free_address();
    let scheduler = cluster.start("scheduler");
    let worker = cluster.spawn_with("worker", &[("web.listen", &health)]);
    worker.says("watching");
    let _consumer = cluster.start("consumer");
    cluster.records_more(300);

    kafka.stop_node(1);
    let at_stop = cluster.target.requests();
    let ask = format!("health --url http://{health}");
    cluster.eventually("it says that Kafka is away", || {
        let told = cluster.cli(&ask);
        told.code == Some(1) && told.out.contains("result log: ")
    });
    // Two buffers' worth of slots become due meanwhile.
    std::thread::sleep(Duration::from_secs(12));
    let checked = cluster.target.requests() - at_stop;
    assert!((300..=1_000).contains(&checked), "{checked} checks with a buffer of 600");
    kafka.start_node(1);
    cluster.records_more(900);
    cluster.eventually("all is well again", || cluster.cli(&ask).code == Some(0));

    cluster.assert_every_slot_once(vec![scheduler], 1_500);
}
