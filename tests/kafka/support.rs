//! Settings with names of their own, results by number, and reading until they are there.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{SubsecRound as _, TimeDelta};
use rdkafka::ClientConfig;
use uptime_monitor::clock::{Clock, Timestamp};
use uptime_monitor::model::{CheckResult, Job, Region, SiteId, Slot, Status, Target};
use uptime_monitor::result_log::LogReader;
use uptime_monitor::result_log::kafka::KafkaResultLog;
use uptime_monitor::result_log::kafka_settings::KafkaSettings;

use crate::common::result;
use crate::common::servers::unique_name;

/// For what takes a moment on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// Yesterday. A message has the time of its slot, and at any moment a broker may delete those that are older than the topic's
/// retention, which is a week.
static FIRST_SLOT: LazyLock<Timestamp> =
    LazyLock::new(|| Clock::system().now().trunc_subsecs(0) - TimeDelta::days(1));

/// Topics and a group that nobody else uses.
pub(crate) fn settings(brokers: &str) -> KafkaSettings {
    KafkaSettings {
        brokers: brokers.split(',').map(str::to_owned).collect(),
        topic: unique_name("results"),
        dead_letter_topic: unique_name("dead"),
        group: unique_name("group"),
        partitions: 3,
        ..KafkaSettings::default()
    }
}

pub(crate) async fn open(settings: &KafkaSettings) -> Arc<KafkaResultLog> {
    // RUST_LOG=uptime_monitor=debug shows what happens; another test may have been first.
    let _ = env_logger::builder().is_test(true).try_init();
    Arc::new(KafkaResultLog::open(settings.clone()).await.expect("the log opens"))
}

/// The result with a number: its site's id.
pub(crate) fn numbered(number: i64) -> CheckResult {
    let job = Job {
        slot: Slot {
            scheduled_at: *FIRST_SLOT + TimeDelta::seconds(number),
            site_id: SiteId(number),
            region: Region::DEFAULT,
        },
        attempt: 1,
        next_slot: Clock::instant(),
        target: Target {
            url: format!("https://example.com/{number}"),
            timeout: Duration::from_secs(1),
            retries: 0,
            settings: None,
        },
    };
    result(&job, Status::Up)
}

pub(crate) fn group(numbers: std::ops::Range<i64>) -> Arc<Vec<CheckResult>> {
    Arc::new(numbers.map(numbered).collect())
}

pub(crate) fn number(result: &CheckResult) -> i64 {
    result.site_id.expect("a site").0
}

/// Reads and commits until all `numbers` were there, and returns how many results it took.
pub(crate) async fn drain(reader: &mut dyn LogReader, numbers: std::ops::Range<i64>) -> usize {
    let mut missing: BTreeSet<i64> = numbers.collect();
    let mut read = 0;
    while !missing.is_empty() {
        let batch = tokio::time::timeout(SOON, reader.next(1000, Duration::from_millis(50)))
            .await
            .unwrap_or_else(|_| panic!("{} results are missing, {:?}…", missing.len(), missing.first()))
            .expect("the log is read");
        read += batch.results().count();
        for result in batch.results() {
            missing.remove(&number(result));
        }
        reader.commit(batch).await.expect("the batch is committed");
    }
    read
}

/// A client of librdkafka, for what the log itself does not offer.
pub(crate) fn client(settings: &KafkaSettings) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", settings.server());
    config
}
