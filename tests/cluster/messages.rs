//! Messages that nobody would send who is in his right mind, among those of a fleet at work.

use serde_json::{Value, json};
use uptime_monitor::clock::Timestamp;

use crate::cluster::Cluster;
use crate::process::Process;
use crate::servers;
use crate::topic::{Message, Topic};

/// None of them is a result. The dates of the last ones are such that a database refuses them.
const POISON: [&[u8]; 7] = [
    b"",
    b"\x00\xff\xfe",
    b"{\"v\":1,",
    br#"{"v":1,"site_id":1}"#,
    br#"{"v":2,"site":"shop"}"#,
    br#"{"v":1,"site_id":1,"url":"http://a/","scheduled_at":"2026-11-24T00:00:00Z","started_at":"-10000-01-01T00:00:00Z","status":"up"}"#,
    br#"{"v":1,"site_id":1,"url":"http://a/","scheduled_at":"2026-11-24T00:00:00Z","started_at":"2026-11-24T00:00:00Z","status":"up","certificate":{"not_before":"2026-01-01T00:00:00Z","not_after":"-4800-01-01T00:00:00Z"}}"#,
];

#[test]
fn messages_that_are_repeated_out_of_order_broken_or_old_neither_change_nor_hold_up_anything() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka);
    cluster.import_load();
    // It is checked at once, and not again in this test: nothing newer hides what becomes of its status.
    let add = format!("sites add {} --name hourly --every 1h", cluster.target.url("/"));
    assert_eq!(cluster.cli(&add).code, Some(0));
    let scheduler = cluster.start("scheduler");
    let _others: Vec<Process> =
        ["worker", "worker", "consumer", "consumer"].map(|role| cluster.start(role)).into();
    cluster.records_more(300);
    let (topic, dead) = (Topic::of(&cluster, "topic"), Topic::of(&cluster, "dead_letter_topic"));

    cluster.ask("CREATE TABLE before AS SELECT * FROM ping_status");
    let (old, slot) = old_message(&cluster, &topic);
    topic.put(&[old]);
    let repeated = repeated_and_out_of_order(&topic);
    topic.put(&poison(&topic));
    topic.put(&repeated);
    let letters = POISON.len() * topic.partitions().len();
    cluster.records_more(600);
    cluster.eventually("the poison is put aside", || dead.messages().len() >= letters);
    let newer = format!(
        "SELECT count(*) FROM ping_status WHERE worker <> '' AND scheduled_at > '{}'",
        slot.to_rfc3339()
    );
    cluster.eventually("the slot of the old message is past", || cluster.number(&newer) > 0);

    cluster.assert_every_slot_once(vec![scheduler], 900);
    cluster.eventually("all messages are read", || topic.unread() == 0);
    assert_eq!(dead.messages().len(), letters);
    assert_eq!(cluster.changed_since("before"), 0);
    assert_statuses_are_those_of_the_newest_rows(&cluster);
    let old =
        format!("SELECT status, worker FROM ping_status WHERE scheduled_at = '{}' AND", slot.to_rfc3339());
    assert_eq!(
        cluster.ask(&format!("{old} site_id = {}", site(&cluster))),
        "degraded|",
        "the first one counts"
    );
}

fn poison(topic: &Topic) -> Vec<Message> {
    let everywhere = |value: &&[u8]| {
        let value = value.to_vec();
        topic.partitions().iter().map(move |&partition| Message { partition, value: value.clone() })
    };
    POISON.iter().flat_map(everywhere).collect()
}

/// All that is there, the last one first, and saying something else than the first time.
fn repeated_and_out_of_order(topic: &Topic) -> Vec<Message> {
    let again = |message: &Message| {
        let mut result = message.result()?;
        result["status"] = "down".into();
        result["worker"] = "twice".into();
        Some(Message { value: result.to_string().into(), ..message.clone() })
    };
    let again: Vec<Message> = topic.messages().iter().rev().filter_map(again).collect();
    assert!(again.len() >= 300);
    again
}

/// One without the fields that came later, of a slot that nobody has checked yet, and the slot.
fn old_message(cluster: &Cluster<'_>, topic: &Topic) -> (Message, Timestamp) {
    let slot = cluster.ask("SELECT extract(epoch FROM now())::bigint + 15").parse().unwrap();
    let slot = Timestamp::from_timestamp(slot, 0).unwrap();
    let at = slot.to_rfc3339();
    let result = json!({
        "v": 1, "site_id": site(cluster), "url": "http://a/", "scheduled_at": at, "started_at": at, "status": "degraded",
    });
    (Message { partition: topic.partitions()[0], value: result.to_string().into() }, slot)
}

/// Of one that is checked every second.
fn site(cluster: &Cluster<'_>) -> Value {
    cluster.number("SELECT id FROM site_config WHERE name = 'second-0'").into()
}

fn assert_statuses_are_those_of_the_newest_rows(cluster: &Cluster<'_>) {
    let others = "SELECT count(*) FROM sites JOIN LATERAL (
                    SELECT scheduled_at, status FROM ping_status AS row WHERE row.site_id = sites.site_id
                    ORDER BY scheduled_at DESC LIMIT 1) AS newest ON true
                  LEFT JOIN LATERAL (
                    SELECT scheduled_at, status FROM ping_status AS row
                    WHERE row.site_id = sites.site_id AND status IN ('up', 'degraded', 'down')
                    ORDER BY scheduled_at DESC LIMIT 1) AS verdict ON true
                  WHERE last_updated <> newest.scheduled_at OR verdict_at IS DISTINCT FROM verdict.scheduled_at
                    OR last_status IS DISTINCT FROM verdict.status
                    OR freshness IS DISTINCT FROM CASE WHEN newest.status IN ('missed', 'unknown') THEN newest.status ELSE 'fresh' END";
    assert_eq!(cluster.number(others), 0);
    assert_eq!(cluster.number("SELECT count(*) FROM ping_status WHERE worker = 'twice'"), 0);
    let hourly = "SELECT last_status FROM sites JOIN site_config ON id = site_id WHERE name = 'hourly'";
    assert_eq!(cluster.ask(hourly), "up");
}
