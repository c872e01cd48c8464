//! Many processes at the very first start.

use crate::cluster::Cluster;
use crate::process::Process;
use crate::servers;

#[test]
fn many_processes_that_start_at_once_on_an_empty_database_migrate_it_once() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka);

    let roles = ["scheduler", "worker", "consumer", "scheduler", "worker", "consumer"];
    let processes: Vec<Process> = roles.iter().map(|role| cluster.spawn(role)).collect();

    processes.iter().for_each(|process| process.says("watching"));
    let migrated = processes.iter().filter(|process| process.err().contains("database migrated")).count();
    assert_eq!(migrated, 1);
}
