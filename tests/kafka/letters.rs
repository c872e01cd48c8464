//! Messages that can't be read.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders, OwnedMessage};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use uptime_monitor::clock::Clock;
use uptime_monitor::result_log::ResultLog;
use uptime_monitor::result_log::kafka_settings::KafkaSettings;

use crate::common::eventually;
use crate::common::servers::kafka;
use crate::support::*;

/// Puts a message into the topic as another program might.
fn put(settings: &KafkaSettings, key: &str, value: &[u8]) {
    let producer: BaseProducer = client(settings).set("message.max.bytes", "1048000").create().unwrap();
    let headers = OwnedHeaders::new().insert(Header { key: "trace", value: Some("abc") });
    let record = BaseRecord::to(&settings.topic).partition(0).key(key).payload(value).headers(headers);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(SOON).unwrap();
}

fn put_result(settings: &KafkaSettings, number: i64) {
    put(settings, &number.to_string(), &serde_json::to_vec(&numbered(number)).unwrap());
}

/// All messages of a topic, until there are `count` and no more come.
pub(crate) fn messages(settings: &KafkaSettings, topic: &str, count: usize) -> Vec<OwnedMessage> {
    let consumer: BaseConsumer = client(settings).set("group.id", "letters").create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&list).unwrap();
    let started = Clock::instant();
    let mut found = Vec::new();
    loop {
        let patience = if found.len() < count { SOON } else { Duration::from_secs(1) };
        match consumer.poll(patience) {
            Some(message) => found.push(message.unwrap().detach()),
            None => return found,
        }
        assert!(started.elapsed() < SOON * 2);
    }
}

/// Up to where the group has committed the first partition; 0 for nothing.
fn committed(settings: &KafkaSettings) -> i64 {
    let consumer: BaseConsumer = client(settings).set("group.id", &settings.group).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(&settings.topic, 0);
    let list = consumer.committed_offsets(list, SOON).unwrap();
    match list.elements()[0].offset() {
        Offset::Offset(next) => next,
        _ => 0,
    }
}

pub(crate) fn header(message: &OwnedMessage, name: &str) -> String {
    let headers = message.headers().unwrap();
    let found = headers.iter().find(|header| header.key == name).unwrap_or_else(|| panic!("no {name}"));
    String::from_utf8(found.value.unwrap().to_vec()).unwrap()
}

#[actix::test]
async fn what_can_not_be_read_goes_to_the_dead_letters_and_the_rest_flows() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;
    put_result(&settings, 0);
    put(&settings, "poison", b"{\"v\":1,");
    put_result(&settings, 1);
    put(&settings, "newer", br#"{"v":2,"site":"shop"}"#);
    put_result(&settings, 2);

    let mut reader = log.reader();
    let read = drain(&mut *reader, 0..3).await;
    let letters = messages(&settings, &settings.dead_letter_topic, 2);

    assert_eq!((read, letters.len()), (3, 2));
    assert_eq!((letters[0].key(), letters[0].payload()), (Some(&b"poison"[..]), Some(&b"{\"v\":1,"[..])));
    assert_eq!(header(&letters[0], "trace"), "abc");
    assert!(header(&letters[0], "x-error").contains("EOF while parsing"));
    assert_eq!(header(&letters[0], "x-topic"), settings.topic);
    assert_eq!(
        (header(&letters[0], "x-partition"), header(&letters[0], "x-offset")),
        ("0".into(), "1".into())
    );
    assert!(header(&letters[1], "x-error").contains("version 2"));
    eventually("everything is committed", SOON, async || committed(&settings) == 5).await;
}

#[actix::test]
async fn letters_alone_are_committed_too_and_no_reader_sees_them_again() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;
    for number in 0..20 {
        put(&settings, &number.to_string(), b"?");
    }

    let mut reader = log.reader();
    let nothing = tokio::time::timeout(Duration::from_secs(8), reader.next(1, Duration::ZERO)).await;
    eventually("the letters are committed", SOON, async || committed(&settings) == 20).await;
    let mut second = log.reader();
    put_result(&settings, 1);
    let read = drain(&mut *second, 1..2).await;

    assert!(nothing.is_err(), "there is no result");
    assert_eq!(read, 1);
    assert_eq!(messages(&settings, &settings.dead_letter_topic, 20).len(), 20);
}

#[actix::test]
async fn a_result_before_a_letter_is_not_committed_by_it() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;
    put_result(&settings, 0);
    put(&settings, "poison", b"?");

    let mut reader = log.reader();
    let batch = reader.next(10, Duration::from_secs(1)).await.unwrap();
    assert_eq!(messages(&settings, &settings.dead_letter_topic, 1).len(), 1);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let before = committed(&settings);
    reader.commit(batch).await.unwrap();

    assert_eq!(before, 0, "the result is not stored yet");
    eventually("both are committed", SOON, async || committed(&settings) == 2).await;
}

#[actix::test]
async fn a_letter_that_is_too_large_is_kept_in_part() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;
    let large = vec![b' '; 1_000_000];
    put(&settings, "large", &large);
    put_result(&settings, 1);

    drain(&mut *log.reader(), 1..2).await;
    let letters = messages(&settings, &settings.dead_letter_topic, 1);

    assert_eq!(header(&letters[0], "x-truncated-from"), "1000000");
    assert_eq!(letters[0].payload().unwrap().len(), 65_536);
}

#[actix::test]
async fn a_letter_that_the_brokers_refuse_is_sent_again_until_they_take_it() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let admin: AdminClient<DefaultClientContext> = client(&settings).create().unwrap();
    let small = NewTopic::new(&settings.dead_letter_topic, 1, TopicReplication::Fixed(1));
    let small = small.set("max.message.bytes", "2000").set("compression.type", "uncompressed");
    admin.create_topics(&[small], &AdminOptions::new()).await.unwrap();
    let log = open(&settings).await;
    // Nothing that zstd would make small.
    let noise: Vec<u8> = (0..6_000).map(|_| fastrand::u8(..)).collect();
    put(&settings, "noise", &noise);
    put_result(&settings, 1);

    let mut reader = log.reader();
    drain(&mut *reader, 1..2).await;
    let while_refused = committed(&settings);
    let letters = messages(&settings, &settings.dead_letter_topic, 1);

    assert_eq!(while_refused, 0, "the letter holds its partition back");
    assert_eq!(header(&letters[0], "x-truncated-from"), "6000");
    assert!(noise.starts_with(letters[0].payload().unwrap()));
    eventually("both are committed", SOON, async || committed(&settings) == 2).await;
}

#[actix::test]
async fn messages_carry_the_site_as_their_key_and_say_what_they_are() {
    let Some(kafka) = kafka() else { return };
    let settings = KafkaSettings { partitions: 1, ..settings(kafka.brokers()) };
    let log = open(&settings).await;

    log.append(group(7..8)).await.unwrap();
    let messages = messages(&settings, &settings.topic, 1);

    assert_eq!(messages[0].key(), Some(&b"7"[..]));
    assert_eq!(header(&messages[0], "ct"), "check-result/1+json");
    assert_eq!(messages[0].payload().unwrap(), serde_json::to_vec(&numbered(7)).unwrap());
}

#[actix::test]
async fn an_old_message_a_repeated_one_and_one_out_of_order_are_read() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;
    for number in [3, 1, 3, 2] {
        put_result(&settings, number);
    }
    let old = br#"{"v":1,"site_id":4,"url":"http://a/","scheduled_at":"2026-01-01T00:00:00Z","started_at":"2026-01-01T00:00:00Z","status":"down"}"#;
    put(&settings, "4", old);

    assert_eq!(drain(&mut *log.reader(), 1..5).await, 5);
}
