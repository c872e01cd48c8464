//! A database that takes no changes for a while: a full disk at a provider, or a failover that is seen late.

use std::time::Duration;

use crate::cluster::{Cluster, free_address};
use crate::servers;

#[test]
fn a_database_that_takes_no_changes_makes_every_role_unready_and_costs_no_more_than_that_time() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka);
    cluster.import_load();
    let members = ["scheduler", "worker", "consumer"].map(|role| {
        let address = free_address();
        let process = cluster.spawn_with(role, &[("web.listen", &address)]);
        process.says("watching");
        (process, format!("health --url http://{address}"))
    });
    cluster.records_more(300);
    let (_, name) = cluster.url.rsplit_once('/').unwrap();

    // Half of the sessions are ended, and the others find out by themselves.
    cluster.ask(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    cluster.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    for (_, ask) in &members {
        cluster.eventually("it says that it is not ready, and why", || {
            let told = cluster.cli(ask);
            told.code == Some(1) && told.out.contains("takes no changes")
        });
    }
    // Not a wait for anything: the fault lasts for some tries of everybody.
    std::thread::sleep(Duration::from_secs(3));
    // By way of another database, since in this one nobody may change anything.
    let reset = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
    cluster.postgres.ask(cluster.postgres.url(), &reset);

    for (_, ask) in &members {
        cluster.eventually("it is ready again", || cluster.cli(ask).code == Some(0));
    }
    cluster.records_more(300);
    let [(scheduler, _), ..] = members;
    cluster.assert_every_slot_once(vec![scheduler], 600);
}

#[test]
fn work_that_the_database_refuses_although_it_answers_makes_a_role_unready() {
    let Some(postgres) = servers::postgres() else { return };
    let cluster = Cluster::with_local_log(postgres);
    cluster.import_load();
    let members = [("worker", "stores fail"), ("scheduler", "ticks fail")].map(|(role, what)| {
        let address = free_address();
        let process = cluster.spawn_with(role, &[("web.listen", &address)]);
        process.says("watching");
        (process, format!("health --url http://{address}"), what)
    });
    cluster.records_more(100);

    cluster.ask(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today' USING ERRCODE = '55000'; END $$",
    );
    // Stores first: without ticks there would soon be nothing to store. One table at a time: both in one transaction could end
    // in a deadlock with a transaction of ours.
    for ((_, ask, what), trigger) in members.iter().zip([
        "ON ping_status FOR EACH ROW EXECUTE FUNCTION refuse()",
        "ON job_queue FOR EACH STATEMENT EXECUTE FUNCTION refuse()",
    ]) {
        cluster.ask(&format!("CREATE TRIGGER refuse BEFORE INSERT {trigger}"));
        cluster.eventually(what, || {
            let told = cluster.cli(ask);
            told.code == Some(1) && told.out.contains(what) && told.out.contains("not today")
        });
    }
    for table in ["job_queue", "ping_status"] {
        cluster.ask(&format!("DROP TRIGGER refuse ON {table}"));
    }

    for (_, ask, _) in &members {
        cluster.eventually("it is ready again", || cluster.cli(ask).code == Some(0));
    }
    let [_worker, (scheduler, ..)] = members;
    cluster.assert_every_slot_once(vec![scheduler], 100);
}
