//! A database that says nothing any more in the middle of a command's work, and one that only takes its time.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::process::Process;
use crate::servers::{self, Proxy};

/// A service that is away ends a command within this time.
const LIMIT: Duration = Duration::from_secs(30);

#[test]
fn commands_end_within_30_s_of_silence_and_not_because_their_work_is_long() {
    let Some(postgres) = servers::postgres() else { return };
    let cluster = Cluster::with_local_log(postgres);
    std::fs::write(cluster.path("sites.csv"), "name,url,every\nshop,http://127.0.0.1:9/,1m\n").unwrap();
    assert_eq!(cluster.cli("sites import sites.csv").code, Some(0));
    let slow = postgres.fresh_database();
    let migrated =
        crate::process::Process::spawn(cluster.command("migrate").env("UPTIME__DATABASE__URL", &slow));
    assert_eq!(migrated.ends().code, Some(0));
    // Longer than a silence may last.
    let sleeping = "CREATE OR REPLACE FUNCTION uptime_now() RETURNS timestamptz LANGUAGE sql VOLATILE
                    AS 'SELECT clock_timestamp() FROM pg_sleep(25)'";
    postgres.ask(&slow, sleeping);

    let patient = Process::spawn(cluster.command("audit --last 1h").env("UPTIME__DATABASE__URL", &slow));
    let network = Proxy::to(postgres.address());
    let url = network.url(&cluster.url);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let other = runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&cluster.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute("BEGIN; LOCK TABLE site_config").await.unwrap();
        client
    });
    let cut_off = ["sites list", "report", "audit", "sites import sites.csv --update"].map(|command| {
        let process = Process::spawn(cluster.command(command).env("UPTIME__DATABASE__URL", &url));
        (command, process)
    });
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    cluster.eventually("all wait for the table", || cluster.number(waiting) >= 4);
    network.cut();

    for (command, process) in cut_off {
        let done = process.ends_within(LIMIT);
        assert_eq!(done.code, Some(3), "{command}: {done:?}");
        assert!(done.err.contains("no answer from PostgreSQL within 20s"), "{command}: {done:?}");
    }
    drop(other);
    let done = patient.ends_within(Duration::from_secs(90));
    assert_eq!(done.code, Some(0), "long work is no silence: {done:?}");
}
