//! Consumers that are behind: what has still to be read is not lost, and what is lost is found.

use std::time::Duration;

use crate::cluster::{Audit, Cluster};
use crate::servers;
use crate::waiting::within;

const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn results_that_consumers_have_still_to_read_are_on_their_way_and_a_lost_one_is_found() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka);
    cluster.import_load();
    let scheduler = cluster.start("scheduler");
    let _worker = cluster.start("worker");
    let consumers = [cluster.start("consumer"), cluster.start("consumer")];
    cluster.records_more(300);
    let surveyed = "SELECT count(*) FROM result_log_state WHERE read_before > now() - interval '1 minute'";
    cluster.eventually("they know how far they have read", || cluster.number(surveyed) == 1);

    consumers.into_iter().for_each(|consumer| consumer.kill());
    let stored = cluster.recorded();
    within(DEADLINE, "slots that nobody has stored are old enough to be judged", || {
        (calm(&cluster).on_its_way > 600).then_some(())
    });
    assert_eq!(cluster.recorded(), stored);

    let _consumer = cluster.start("consumer");
    within(DEADLINE, "all of it is stored", || (calm(&cluster).on_its_way == 0).then_some(()));
    cluster.assert_every_slot_once(vec![scheduler], 900);

    cluster.ask(
        "DELETE FROM ping_status WHERE (site_id, scheduled_at) =
           (SELECT site_id, scheduled_at FROM ping_status ORDER BY scheduled_at, site_id OFFSET 200 LIMIT 1)",
    );
    let audit = cluster.audit();
    assert_eq!((audit.unaccounted, audit.code), (1, Some(1)), "{audit:?}");
}

/// An audit that finds nothing lost.
fn calm(cluster: &Cluster<'_>) -> Audit {
    let audit = cluster.audit();
    assert_eq!((audit.unaccounted, audit.code), (0, Some(0)), "{audit:?}");
    audit
}
