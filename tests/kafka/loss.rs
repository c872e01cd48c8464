//! Topics that lose what nobody has read yet, or come back as others.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};
use uptime_monitor::result_log::ResultLog;
use uptime_monitor::result_log::kafka_settings::KafkaSettings;

use crate::common::eventually;
use crate::common::servers::kafka;
use crate::support::*;

fn admin(settings: &KafkaSettings) -> AdminClient<DefaultClientContext> {
    client(settings).create().unwrap()
}

/// Deletes the topic and makes it again. Deleting takes a moment after it is acknowledged.
async fn make_again(settings: &KafkaSettings, partitions: i32) {
    admin(settings).delete_topics(&[&settings.topic], &AdminOptions::new()).await.unwrap();
    eventually("the topic is made again", SOON, async || {
        let topic = NewTopic::new(&settings.topic, partitions, TopicReplication::Fixed(1));
        let made = admin(settings).create_topics(&[topic], &AdminOptions::new()).await.unwrap();
        made[0].is_ok()
    })
    .await;
}

/// Deletes all messages before `offset`, as retention does.
async fn delete_before(settings: &KafkaSettings, offset: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&settings.topic, 0, Offset::Offset(offset)).unwrap();
    let deleted = admin(settings).delete_records(&list, &AdminOptions::new()).await.unwrap();
    deleted.elements()[0].error().unwrap();
}

fn committed(settings: &KafkaSettings) -> Option<i64> {
    let consumer: BaseConsumer = client(settings).set("group.id", &settings.group).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(&settings.topic, 0);
    match consumer.committed_offsets(list, SOON).unwrap().elements()[0].offset() {
        Offset::Offset(next) => Some(next),
        _ => None,
    }
}

#[actix::test]
async fn results_that_were_deleted_before_anybody_read_them_are_counted() {
    let Some(kafka) = kafka() else { return };
    let settings = KafkaSettings { partitions: 1, ..settings(kafka.brokers()) };
    let log = open(&settings).await;
    log.append(group(0..10)).await.unwrap();
    drain(&mut *log.reader(), 0..10).await;
    eventually("it is committed", SOON, async || committed(&settings) == Some(10)).await;
    log.close(SOON);

    let log = open(&settings).await;
    log.append(group(10..60)).await.unwrap();
    delete_before(&settings, 40).await;
    let mut reader = log.reader();
    let read = drain(&mut *reader, 40..60).await;

    assert_eq!(read, 20);
    eventually("they are counted", SOON, async || log.condition().deleted_unread == 30).await;
    assert_eq!(log.condition().trouble, None);
}

#[actix::test]
async fn results_that_are_deleted_with_nothing_behind_them_are_counted_too() {
    let Some(kafka) = kafka() else { return };
    let settings = KafkaSettings { partitions: 1, ..settings(kafka.brokers()) };
    let log = open(&settings).await;
    log.append(group(0..10)).await.unwrap();
    drain(&mut *log.reader(), 0..5).await;
    eventually("it is committed", SOON, async || committed(&settings).is_some()).await;
    log.close(SOON);
    let read = committed(&settings).unwrap();

    let log = open(&settings).await;
    log.append(group(10..60)).await.unwrap();
    delete_before(&settings, 60).await;
    let mut reader = log.reader();
    let nothing = tokio::time::timeout(Duration::from_millis(200), reader.next(1, Duration::ZERO)).await;

    assert!(nothing.is_err());
    let lost = u64::try_from(60 - read).unwrap();
    eventually("they are counted", SOON, async || log.condition().deleted_unread == lost).await;
    eventually("and not again", SOON, async || committed(&settings) == Some(60)).await;
}

#[actix::test]
async fn after_a_log_has_gone_back_the_lower_offset_is_committed() {
    let Some(kafka) = kafka() else { return };
    let settings = KafkaSettings { partitions: 1, ..settings(kafka.brokers()) };
    let log = open(&settings).await;
    log.append(group(0..100)).await.unwrap();
    let mut reader = log.reader();
    drain(&mut *reader, 0..100).await;
    eventually("it is committed", SOON, async || committed(&settings) == Some(100)).await;

    make_again(&settings, 1).await;
    while log.append(group(100..110)).await.is_err() {}
    let batch = tokio::time::timeout(SOON, reader.next(10, Duration::from_secs(1))).await.unwrap().unwrap();

    assert!(batch.results().all(|result| (100..110).contains(&number(result))));
    // What is not stored is never committed, whatever was committed before.
    eventually("the old offset is gone", SOON, async || committed(&settings).is_none_or(|next| next < 10))
        .await;
    reader.commit(batch).await.unwrap();
    eventually("all is committed", SOON, async || committed(&settings) == Some(10)).await;
}

#[actix::test]
async fn a_topic_that_was_made_again_with_fewer_partitions_is_noticed() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;

    make_again(&settings, 1).await;

    eventually("it is noticed", SOON, async || log.condition().trouble.is_some()).await;
    let trouble = log.condition().trouble.unwrap();
    assert!(trouble.contains("made again with 1 partition(s) and not 3"), "{trouble}");
    make_again(&settings, 3).await;
    eventually("and its end", SOON, async || log.condition().trouble.is_none()).await;
}
