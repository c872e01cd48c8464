//! Topics that take less than a result or a batch has.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use uptime_monitor::model::{CheckResult, Evidence, Hop, Status, Timings};
use uptime_monitor::result_log::kafka_settings::KafkaSettings;
use uptime_monitor::result_log::{LogError, ResultLog};

use crate::common::servers::kafka;
use crate::support::*;

/// A topic as an operator might have made it.
async fn made_by_hand(settings: &KafkaSettings, limit: &str) {
    let admin: AdminClient<DefaultClientContext> = client(settings).create().unwrap();
    let topic = NewTopic::new(&settings.topic, settings.partitions, TopicReplication::Fixed(1));
    // The second one is the default of 4.0 and newer.
    let topic = topic.set("max.message.bytes", limit).set("message.timestamp.after.max.ms", "3600000");
    admin.create_topics(&[topic], &AdminOptions::new()).await.unwrap();
}

async fn change_limit(settings: &KafkaSettings, limit: &str) {
    let admin: AdminClient<DefaultClientContext> = client(settings).create().unwrap();
    let change = AlterConfig::new(ResourceSpecifier::Topic(&settings.topic)).set("max.message.bytes", limit);
    let changed = admin.alter_configs(&[change], &AdminOptions::new()).await.unwrap();
    assert_eq!(changed, [Ok(OwnedResourceSpecifier::Topic(settings.topic.clone()))]);
}

/// Text that no compression makes much smaller.
fn noise(bytes: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(bytes).collect()
}

/// A result that is down and has seen much.
fn large(number: i64, bytes: usize) -> CheckResult {
    let evidence = Evidence { body: Some(noise(bytes)), ..Evidence::default() };
    CheckResult {
        status: Status::Down,
        error: Some("status 503".to_owned()),
        evidence: Some(Box::new(evidence)),
        ..numbered(number)
    }
}

#[actix::test]
async fn batches_stay_below_the_limit_of_the_topic() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    made_by_hand(&settings, "20000").await;
    let log = open(&settings).await;
    let results: Vec<CheckResult> = (0..60).map(|number| large(number, 8_000)).collect();

    log.append(Arc::new(results)).await.unwrap();

    drain(&mut *log.reader(), 0..60).await;
    assert_eq!(log.condition().trouble, None);
}

#[actix::test]
async fn a_limit_that_is_lowered_while_results_flow_costs_none() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;
    log.append(group(0..10)).await.unwrap();

    change_limit(&settings, "4000").await;
    let results: Vec<CheckResult> = (10..110).map(|number| large(number, 800)).collect();
    let appended = tokio::time::timeout(SOON, log.append(Arc::new(results))).await;

    appended.expect("it is not tried for ever").unwrap();
    drain(&mut *log.reader(), 0..110).await;
}

#[actix::test]
async fn what_is_too_large_alone_is_told_apart_and_its_neighbours_go_through() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    made_by_hand(&settings, "6000").await;
    let log = open(&settings).await;
    let mut results = group(0..20).to_vec();
    results[3] = large(3, 10_000);
    results[15] = large(15, 10_000);

    let refused = log.append(Arc::new(results.clone())).await;
    let Err(LogError::Unacceptable { mut which, message }) = refused else { panic!("{refused:?}") };
    which.sort_unstable();
    let essences = which.iter().map(|&index| results[index].essence()).collect();
    log.append(Arc::new(essences)).await.unwrap();

    assert_eq!(which, [3, 15]);
    assert!(message.contains("too large"), "{message}");
    drain(&mut *log.reader(), 0..20).await;
}

#[actix::test]
async fn a_result_with_the_longest_redirects_is_sent_like_any_other() {
    let Some(kafka) = kafka() else { return };
    let log = open(&settings(kafka.brokers())).await;
    let hop = Hop {
        url: format!("https://example.com/{}", noise(190_000)),
        http_status: Some(302),
        remote_addr: None,
        timings: Timings::default(),
        certificate: None,
    };
    let mut results = group(0..5).to_vec();
    results[2].hops = vec![hop; 11];

    let appended = tokio::time::timeout(SOON, log.append(Arc::new(results))).await;

    appended.expect("it is not tried for ever").unwrap();
    drain(&mut *log.reader(), 0..5).await;
}

#[actix::test]
async fn what_is_put_aside_is_a_dead_letter_with_its_reason() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;

    log.set_aside(&numbered(7), "the database refuses it").await.unwrap();

    let letters = crate::letters::messages(&settings, &settings.dead_letter_topic, 1);
    assert_eq!(crate::letters::header(&letters[0], "x-error"), "the database refuses it");
    assert_eq!(crate::letters::header(&letters[0], "x-topic"), settings.topic);
    let kept = rdkafka::message::Message::payload(&letters[0]).unwrap();
    assert_eq!(serde_json::from_slice::<CheckResult>(kept).unwrap(), numbered(7));
}

#[actix::test]
async fn a_slot_of_the_future_is_taken_by_our_own_topic_and_names_the_clocks_on_another() {
    let Some(kafka) = kafka() else { return };
    let hours = |hours| uptime_monitor::clock::Clock::system().now() + chrono::TimeDelta::hours(hours);
    let ahead = |number: i64| CheckResult { scheduled_at: hours(3), ..numbered(number) };
    let ours = settings(kafka.brokers());
    let others = settings(kafka.brokers());
    made_by_hand(&others, "1000000").await;

    open(&ours).await.append(Arc::new(vec![ahead(1), ahead(1)])).await.unwrap();
    let log = open(&others).await;
    for results in [vec![ahead(1)], vec![ahead(1), ahead(1)]] {
        let text = log.append(Arc::new(results)).await.unwrap_err().to_string();
        assert!(text.contains("clock") && text.contains("message.timestamp.after.max.ms"), "{text}");
    }
    tokio::time::timeout(Duration::from_secs(10), log.append(group(1..5))).await.unwrap().unwrap();
}
