//! Many processes at the very first start, and what each tells about itself.

use serde_json::Value;

use crate::cluster::{Cluster, free_address};
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

#[test]
fn each_role_tells_how_it_is_and_what_it_has_done() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka);
    cluster.import_load();
    let members = ["scheduler", "worker", "consumer"].map(|role| {
        let address = free_address();
        let process = cluster.spawn_with(role, &[("web.listen", &address)]);
        process.says("watching");
        (process, address)
    });
    cluster.records_more(600);

    let [scheduler, worker, consumer] = members.each_ref().map(|(_, address)| -> Value {
        let told = cluster.cli(&format!("health --url http://{address} --json"));
        serde_json::from_str(&told.out).unwrap_or_else(|_| panic!("{told:?}"))
    });

    for (role, report) in [("scheduler", &scheduler), ("worker", &worker), ("consumer", &consumer)] {
        assert_eq!((&report["ready"], &report["role"]), (&true.into(), &role.into()), "{report}");
    }
    assert!(worker["results"]["up"].as_u64().unwrap() >= 300, "{worker}");
    assert!(consumer["results"]["up"].as_u64().unwrap() >= 300, "{consumer}");
    assert!(consumer["result_log"]["lag"].is_u64(), "{consumer}");
    assert_eq!(scheduler["results"]["up"], 0);
}
