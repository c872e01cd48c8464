//! Readers that come and go, on one machine and on several.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use uptime_monitor::clock::Clock;
use uptime_monitor::result_log::kafka_settings::{GroupProtocol, KafkaSettings};
use uptime_monitor::result_log::{LogReader, ResultLog};

use crate::common::eventually;
use crate::common::servers::kafka;
use crate::support::*;

/// How often each number was stored, and by how many readers.
#[derive(Default)]
struct Store {
    stored: Mutex<HashMap<i64, usize>>,
}

impl Store {
    fn count(&self) -> usize {
        self.stored.lock().unwrap().len()
    }

    fn repeats(&self) -> usize {
        let stored = self.stored.lock().unwrap();
        stored.values().sum::<usize>() - stored.len()
    }

    /// Stores and commits until it is stopped; returns how many results it had.
    async fn fill(&self, mut reader: Box<dyn LogReader>, stop: tokio_stop::Stop) -> usize {
        let mut had = 0;
        loop {
            let batch = tokio::select! {
                batch = reader.next(100, Duration::from_millis(20)) => batch.unwrap(),
                () = stop.wait() => return had,
            };
            for result in batch.results() {
                *self.stored.lock().unwrap().entry(number(result)).or_default() += 1;
                had += 1;
            }
            reader.commit(batch).await.unwrap();
        }
    }
}

/// A signal that several can wait for.
mod tokio_stop {
    use tokio::sync::watch;

    #[derive(Clone)]
    pub(crate) struct Stop(watch::Sender<bool>);

    impl Stop {
        pub(crate) fn new() -> Self {
            Self(watch::channel(false).0)
        }

        pub(crate) fn set(&self) {
            self.0.send_replace(true);
        }

        pub(crate) async fn wait(&self) {
            self.0.subscribe().wait_for(|stop| *stop).await.unwrap();
        }
    }
}

async fn nothing_is_lost_while_readers_come_and_go(group_protocol: GroupProtocol) {
    let Some(kafka) = kafka() else { return };
    let settings = KafkaSettings { group_protocol, ..settings(kafka.brokers()) };
    let (store, total) = (Arc::new(Store::default()), 6_000);
    let writer = open(&settings).await;
    let writing = tokio::task::spawn_local(async move {
        for start in (0..total).step_by(50) {
            writer.append(group(start..start + 50)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(80)).await;
        }
    });
    let join = |log: Arc<uptime_monitor::result_log::kafka::KafkaResultLog>| {
        let (store, stop) = (Arc::clone(&store), tokio_stop::Stop::new());
        let task = tokio::task::spawn_local({
            let stop = stop.clone();
            async move { store.fill(log.reader(), stop).await }
        });
        (task, stop)
    };

    let (_first, _stop_first) = join(open(&settings).await);
    eventually("the first reads", SOON, async || store.count() > 200).await;
    let (second, stop_second) = join(open(&settings).await);
    let before = store.count();
    eventually("both read", SOON, async || store.count() > before + 1500).await;
    stop_second.set();
    let by_second = second.await.unwrap();
    writing.await.unwrap();
    eventually("everything is stored", SOON, async || store.count() == total as usize).await;

    assert!(by_second > 0, "the second reader had a share");
    assert!(store.repeats() < 1_000, "only what moved is stored again: {}", store.repeats());
}

#[actix::test]
async fn nothing_is_lost_while_readers_come_and_go_by_the_brokers_protocol() {
    nothing_is_lost_while_readers_come_and_go(GroupProtocol::Consumer).await;
}

#[actix::test]
async fn nothing_is_lost_while_readers_come_and_go_by_the_classic_protocol() {
    nothing_is_lost_while_readers_come_and_go(GroupProtocol::Classic).await;
}

#[actix::test]
async fn a_reader_that_is_dropped_leaves_its_partitions_to_others_at_once() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let (one, other) = (open(&settings).await, open(&settings).await);
    one.append(group(0..30)).await.unwrap();
    let mut reader = one.reader();
    drain(&mut *reader, 0..30).await;
    one.append(group(30..60)).await.unwrap();

    let started = Clock::instant();
    drop(reader);
    let dropped_in = started.elapsed();
    drain(&mut *other.reader(), 30..60).await;

    assert!(dropped_in < Duration::from_millis(20), "{dropped_in:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "a session would be 6 s: {:?}", started.elapsed());
}

#[actix::test]
async fn closing_the_log_leaves_the_group_before_the_process_ends() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let (one, other) = (open(&settings).await, open(&settings).await);
    one.append(group(0..30)).await.unwrap();
    let mut reader = one.reader();
    drain(&mut *reader, 0..30).await;
    other.append(group(30..60)).await.unwrap();

    let started = Clock::instant();
    one.close(Duration::from_secs(5));
    let closed_in = started.elapsed();
    drain(&mut *other.reader(), 30..60).await;

    assert!(closed_in < Duration::from_secs(3), "{closed_in:?}");
    assert!(one.append(group(0..1)).await.is_err());
    assert!(reader.next(1, Duration::ZERO).await.is_err());
}

#[actix::test]
async fn results_of_a_request_that_was_given_up_are_not_skipped() {
    let Some(kafka) = kafka() else { return };
    let log = open(&settings(kafka.brokers())).await;
    let mut reader = log.reader();

    let appending = async {
        for start in (0..3_000).step_by(10) {
            log.append(group(start..start + 10)).await.unwrap();
        }
    };
    let mut seen = std::collections::BTreeSet::new();
    let reading = async {
        while seen.len() < 3_000 {
            // Shorter than most requests take, so that many are given up.
            let next =
                tokio::time::timeout(Duration::from_millis(3), reader.next(50, Duration::from_millis(2)));
            let Ok(batch) = next.await else {
                // The answer arrives while nobody waits for it.
                tokio::time::sleep(Duration::from_millis(3)).await;
                continue;
            };
            let batch = batch.unwrap();
            seen.extend(batch.results().map(number));
            reader.commit(batch).await.unwrap();
        }
    };
    let both = futures_util::future::join(appending, reading);
    tokio::time::timeout(SOON, both).await.expect("nothing is skipped");
}

#[actix::test]
async fn a_reader_that_nobody_asks_for_a_while_stays_in_its_group_and_goes_on() {
    let Some(kafka) = kafka() else { return };
    let log = open(&settings(kafka.brokers())).await;
    let mut reader = log.reader();
    log.append(group(0..2_000)).await.unwrap();
    let batch = reader.next(10, Duration::ZERO).await.unwrap();
    let mut read: Vec<i64> = batch.results().map(number).collect();

    // Longer than it takes to pause, as while a database is away.
    tokio::time::sleep(Duration::from_secs(13)).await;
    log.append(group(2_000..2_100)).await.unwrap();
    reader.commit(batch).await.unwrap();
    while read.len() < 2_100 {
        let batch =
            tokio::time::timeout(SOON, reader.next(500, Duration::from_millis(50))).await.unwrap().unwrap();
        read.extend(batch.results().map(number));
        reader.commit(batch).await.unwrap();
    }

    read.sort_unstable();
    assert!(read.iter().copied().eq(0..2_100), "each once");
    eventually("nothing is left", SOON, async || log.condition().lag == Some(0)).await;
}
