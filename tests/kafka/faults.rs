//! Brokers that crash, freeze and come back.

use std::sync::Arc;
use std::time::Duration;

use uptime_monitor::clock::Clock;
use uptime_monitor::result_log::kafka_settings::KafkaSettings;
use uptime_monitor::result_log::{LogError, ResultLog};

use crate::common::eventually;
use crate::common::servers::{Kafka, unique_name};
use crate::support::*;

#[actix::test]
async fn a_broker_that_crashes_while_results_are_appended_and_read_loses_none() {
    let Some(kafka) = Kafka::start(1) else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;
    let total = 3_000;
    let appending = tokio::task::spawn_local({
        let log = Arc::clone(&log);
        async move {
            for start in (0..total).step_by(20) {
                // As the publisher does: until the log has it.
                while log.append(group(start..start + 20)).await.is_err() {}
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    let mut reader = log.reader();
    drain(&mut *reader, 0..200).await;

    kafka.kill(1);
    eventually("the trouble is known", SOON, async || log.condition().trouble.is_some()).await;
    let trouble = log.condition().trouble.unwrap();
    let still_read = tokio::time::timeout(Duration::from_secs(5), async {
        while let Ok(batch) = reader.next(10_000, Duration::ZERO).await {
            let started = Clock::instant();
            reader.commit(batch).await.expect("a broker that is away is no failure");
            assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        }
    });
    assert!(still_read.await.is_err(), "the reader waits");
    assert!(log.depth() > 0);
    kafka.start_node(1);

    tokio::time::timeout(Duration::from_secs(90), appending)
        .await
        .expect("appending goes on by itself")
        .unwrap();
    drain(&mut *reader, total - 500..total).await;
    let from_the_beginning = KafkaSettings { group: unique_name("all"), ..settings };
    drain(&mut *open(&from_the_beginning).await.reader(), 0..total).await;
    eventually("all is well", SOON, async || log.condition().trouble.is_none()).await;
    assert!(trouble.contains("refused") || trouble.contains("Disconnected"), "{trouble}");
    assert_eq!(log.depth(), 0);
}

#[actix::test]
async fn a_reader_outlives_an_outage_of_its_brokers() {
    let Some(kafka) = Kafka::start(1) else { return };
    let log = open(&settings(kafka.brokers())).await;
    log.append(group(0..10)).await.unwrap();
    let mut reader = log.reader();
    let batch = reader.next(10, Duration::from_secs(2)).await.unwrap();
    assert_eq!(batch.results().count(), 10);

    kafka.stop();
    let started = Clock::instant();
    reader.commit(batch).await.expect("a broker that is away is no failure");
    let waited = started.elapsed();
    let waiting = tokio::time::timeout(Duration::from_secs(10), reader.next(10, Duration::ZERO)).await;
    kafka.start_again();
    log.append(group(10..20)).await.unwrap();
    let read = drain(&mut *reader, 10..20).await;

    assert!(waited < Duration::from_secs(8), "{waited:?}");
    assert!(waiting.is_err(), "no error ends the reader");
    assert_eq!(read, 10);
    eventually("the commit was made up for", SOON, async || log.condition().lag == Some(0)).await;
}

#[actix::test]
async fn a_broker_that_is_away_when_the_log_is_opened_is_found_later() {
    let Some(kafka) = Kafka::start(1) else { return };
    let settings = settings(kafka.brokers());
    kafka.kill(1);

    let away = uptime_monitor::result_log::kafka::KafkaResultLog::open(settings.clone()).await;
    assert!(matches!(away, Err(LogError::Unreachable { .. })), "{:?}", away.err());
    kafka.start_node(1);

    open(&settings).await.append(group(0..1)).await.unwrap();
}

#[actix::test]
async fn an_append_that_is_given_up_leaves_nothing_behind() {
    let Some(kafka) = Kafka::start(1) else { return };
    let log = open(&settings(kafka.brokers())).await;
    log.append(group(0..1)).await.unwrap();

    kafka.freeze(1);
    for _ in 0..20 {
        let append = tokio::time::timeout(Duration::from_millis(10), log.append(group(0..10)));
        assert!(append.await.is_err());
    }
    assert_eq!(log.depth(), 200);
    kafka.thaw(1);

    eventually("all of it has arrived", SOON, async || log.depth() == 0).await;
}

#[actix::test]
async fn a_queue_that_is_full_is_waited_for() {
    let Some(kafka) = Kafka::start(1) else { return };
    let mut settings = settings(kafka.brokers());
    settings.capacity = 100;
    let log = open(&settings).await;
    log.append(group(0..1)).await.unwrap();

    kafka.freeze(1);
    let append = log.append(group(0..1_000));
    let waiting = tokio::time::timeout(Duration::from_secs(2), append).await;
    assert!(waiting.is_err(), "and no error");
    kafka.thaw(1);

    log.append(group(0..1_000)).await.unwrap();
    drain(&mut *log.reader(), 0..1_000).await;
    eventually("what was given up half way is not waited for", SOON, async || log.depth() == 0).await;
}
