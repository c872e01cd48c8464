//! The network between a worker and the database cut, as by a switch that drops every packet.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::servers::{self, Proxy};

#[test]
fn a_worker_that_is_cut_off_from_the_database_is_replaced_and_comes_back() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka).with("worker.max_attempts", "20");
    cluster.import_load();
    let proxy = Proxy::to(postgres.address());
    let through_proxy = proxy.url(&cluster.url);
    let scheduler = cluster.start("scheduler");
    let _consumer = cluster.start("consumer");
    let far = [
        ("database.url", through_proxy.as_str()),
        ("worker.name", "far"),
        ("database.statement_timeout", "2s"),
    ];
    let worker = cluster.spawn_with("worker", &far);
    worker.says("watching");
    cluster.records_more(300);

    proxy.cut();
    let near = cluster.spawn_with("worker", &[("worker.name", "near")]);
    let by = |name: &str| format!("SELECT count(*) FROM ping_status WHERE worker = '{name}'");
    cluster.eventually("the near one works", || cluster.number(&by("near")) > 300);
    std::thread::sleep(Duration::from_secs(55));
    proxy.resume();
    near.kill();
    let before = cluster.number(&by("far"));
    cluster.eventually("the far one works again", || cluster.number(&by("far")) > before + 300);

    cluster.assert_every_slot_once(vec![scheduler], 900);
}
