//! What does a result cost on its way through Kafka, written and read, and what of it is ours and not the client library's?
//!
//! Units: results per second of wall time; µs of CPU, user and system, of this process per result. The broker is a real one
//! on the same machine and is not counted, so rates are lower bounds.
//!
//! The yardstick is bare rdkafka with the same settings in the same run: messages made beforehand and handed to its producer,
//! and messages polled from its consumer, parsed, and committed as often as ours. Ours turns results into JSON while it
//! appends, and hands parsed results over to another thread. Rounds alternate, each on new topics. Kafka is started from
//! Apache's released jars, see `scripts/support/kafka`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench prints, and fails by panicking"
)]

#[path = "../tests/common/servers/mod.rs"]
mod servers;
mod support;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use futures_util::future::join_all;
use rdkafka::config::FromClientConfigAndContext as _;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext};
use servers::{Kafka, unique_name};
use support::Effort;
use support::meter::{Cost, Meter, machine};
use support::table::{Samples, Table};
use uptime_monitor::clock::Clock;
use uptime_monitor::model::{CheckResult, Job, Region, SiteId, Slot, Status, Target, Timings, Unchecked};
use uptime_monitor::result_log::ResultLog;
use uptime_monitor::result_log::kafka::KafkaResultLog;
use uptime_monitor::result_log::kafka_settings::KafkaSettings;

/// Results in one group, and groups on their way at once: as of many checkers.
const GROUP: usize = 50;
const GROUPS: usize = 100;

/// Results that a persister takes at once.
const BATCH: usize = 1_000;

fn main() -> ExitCode {
    support::main(|effort| actix::System::new().block_on(bench(effort)))
}

async fn bench(effort: Effort) {
    let (rounds, count) = if effort == Effort::Quick { (1, 100_000) } else { (3, 300_000) };
    println!("{}\n", machine());
    let kafka = Kafka::start(1).expect("Java, and Kafka's jars");
    let results: Vec<CheckResult> = (0..count).map(result).collect();
    let bytes: usize = results.iter().map(|result| serde_json::to_vec(result).unwrap().len()).sum();
    println!("{count} results of {} bytes on average, 12 partitions, zstd\n", bytes / count as usize);
    let [mut append, mut produce, mut read, mut consume] = [(); 4].map(|()| Figures::default());
    for _ in 0..rounds {
        let settings = settings(&kafka);
        let log = Arc::new(KafkaResultLog::open(settings.clone()).await.expect("the log opens"));
        append.add(appended(&log, &results).await, results.len());
        read.add(read_all(&log, results.len()).await, results.len());
        log.close(Duration::from_secs(5));
        drop(log);
        let other = self::settings(&kafka);
        KafkaResultLog::open(other.clone()).await.expect("topics are made").close(Duration::ZERO);
        produce.add(produced(&other, &results), results.len());
        consume.add(consumed(&other, results.len()), results.len());
    }
    let mut table = Table::new(&["what", "results/s", "CPU µs/result"]);
    append.enter("append", &mut table);
    produce.enter("bare rdkafka: produce", &mut table);
    read.enter("next and commit", &mut table);
    consume.enter("bare rdkafka: poll, parse, commit", &mut table);
    table.print();
}

#[derive(Default)]
struct Figures {
    rate: Samples,
    cpu_us: Samples,
}

impl Figures {
    fn add(&mut self, cost: Cost, pieces: usize) {
        self.rate.add(cost.rate(pieces));
        self.cpu_us.add(cost.cpu_us_per(pieces));
    }

    fn enter(&self, what: &str, table: &mut Table) {
        table.row([what.to_owned(), self.rate.show(0), self.cpu_us.show(2)]);
    }
}

fn settings(kafka: &Kafka) -> KafkaSettings {
    KafkaSettings {
        brokers: vec![kafka.brokers().to_owned()],
        topic: unique_name("results"),
        dead_letter_topic: unique_name("dead"),
        group: unique_name("group"),
        capacity: 100_000,
        ..KafkaSettings::default()
    }
}

fn result(number: i64) -> CheckResult {
    let start = DateTime::from_timestamp(1_767_225_600, 0).expect("a valid moment");
    let scheduled_at = start + TimeDelta::seconds(number / 5_000);
    let target = Target {
        url: format!("https://site-{}.example/health", number % 5_000),
        timeout: Duration::from_secs(10),
        retries: 0,
        settings: None,
    };
    let slot = Slot { scheduled_at, site_id: SiteId(number % 5_000), region: Region::DEFAULT };
    let job = Job { slot, attempt: 1, next_slot: Clock::instant(), target };
    let us = |spread: i64| Some((number * 7_919 % spread).unsigned_abs());
    CheckResult {
        status: Status::Up,
        error: None,
        http_status: Some(200),
        http_version: Some("HTTP/1.1".to_owned()),
        remote_addr: Some("192.0.2.7:443".parse().expect("an address")),
        body_bytes: 1_256,
        timings: Timings {
            dns_us: us(20_000),
            connect_us: us(40_000),
            tls_us: us(60_000),
            ttfb_us: us(250_000),
            download_us: us(900),
            total_us: us(400_000),
        },
        ..CheckResult::unchecked(
            &job,
            scheduled_at + TimeDelta::microseconds(number % 1_000_000),
            "host-1",
            Unchecked::Late,
        )
    }
}

async fn appended(log: &Arc<KafkaResultLog>, results: &[CheckResult]) -> Cost {
    let groups: Vec<Arc<Vec<CheckResult>>> =
        results.chunks(GROUP).map(|group| Arc::new(group.to_vec())).collect();
    log.append(Arc::clone(&groups[0])).await.expect("a broker that answers");
    let next = Arc::new(AtomicUsize::new(0));
    let groups = Arc::new(groups);
    let meter = Meter::read();
    let senders = (0..GROUPS).map(|_| {
        let (log, groups, next) = (Arc::clone(log), Arc::clone(&groups), Arc::clone(&next));
        async move {
            while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
                log.append(Arc::clone(group)).await.expect("a broker that answers");
            }
        }
    });
    join_all(senders).await;
    meter.cost()
}

/// From the first batch on: joining a group takes its time and no CPU.
async fn read_all(log: &KafkaResultLog, count: usize) -> Cost {
    let mut reader = log.reader();
    let first = reader.next(1, Duration::ZERO).await.expect("results");
    let meter = Meter::read();
    let mut read = first.results().count();
    reader.commit(first).await.expect("a commit");
    while read < count {
        let batch = reader.next(BATCH, Duration::from_millis(50)).await.expect("results");
        read += batch.results().count();
        reader.commit(batch).await.expect("a commit");
    }
    meter.cost()
}

struct Counter(Arc<AtomicUsize>);

impl ClientContext for Counter {}

impl ProducerContext for Counter {
    type DeliveryOpaque = ();

    fn delivery(&self, outcome: &DeliveryResult<'_>, (): ()) {
        outcome.as_ref().expect("a broker that answers");
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn client(settings: &KafkaSettings) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", settings.server());
    config
}

fn produced(settings: &KafkaSettings, results: &[CheckResult]) -> Cost {
    let mut client = client(settings);
    client
        .set("acks", "all")
        .set("enable.idempotence", "true")
        .set("compression.type", "zstd")
        .set("linger.ms", "20")
        .set("batch.size", "262144")
        .set("partitioner", "murmur2_random")
        .set("queue.buffering.max.messages", "100000");
    let done = Arc::new(AtomicUsize::new(0));
    let producer: ThreadedProducer<Counter> =
        ThreadedProducer::from_config_and_context(&client, Counter(Arc::clone(&done))).expect("a producer");
    let messages: Vec<(String, Vec<u8>)> = results
        .iter()
        .map(|result| {
            (result.site_id.expect("a site").to_string(), serde_json::to_vec(result).expect("JSON"))
        })
        .collect();
    hand_over(&producer, &settings.topic, &messages[..1]);
    wait_for(&done, 1);
    let meter = Meter::read();
    hand_over(&producer, &settings.topic, &messages[1..]);
    wait_for(&done, messages.len());
    meter.cost()
}

fn hand_over(producer: &ThreadedProducer<Counter>, topic: &str, messages: &[(String, Vec<u8>)]) {
    for (key, value) in messages {
        loop {
            let headers =
                OwnedHeaders::new().insert(Header { key: "ct", value: Some("check-result/1+json") });
            match producer.send(BaseRecord::to(topic).key(key).payload(value).headers(headers)) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err((error, _)) => panic!("{error}"),
            }
        }
    }
}

fn wait_for(done: &AtomicUsize, count: usize) {
    while done.load(Ordering::Relaxed) < count {
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn consumed(settings: &KafkaSettings, count: usize) -> Cost {
    let mut config = client(settings);
    config
        .set("group.id", &settings.group)
        .set("group.protocol", "consumer")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "100")
        .set("queued.max.messages.kbytes", "16384");
    let consumer: BaseConsumer = config.create().expect("a consumer");
    consumer.subscribe(&[&settings.topic]).expect("a subscription");
    let mut meter = Meter::read();
    let mut read = 0;
    while read < count {
        let message =
            consumer.poll(Duration::from_secs(30)).expect("a message").expect("a broker that answers");
        if read == 0 {
            meter = Meter::read();
        }
        let result: CheckResult =
            serde_json::from_slice(message.payload().expect("a value")).expect("a result");
        assert!(result.site_id.is_some());
        consumer.store_offset_from_message(&message).expect("an offset");
        read += 1;
        if read % BATCH == 0 {
            consumer.commit_consumer_state(CommitMode::Sync).expect("a commit");
        }
    }
    meter.cost()
}
