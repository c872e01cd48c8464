//! From `append` to `commit`.

use std::time::Duration;

use uptime_monitor::result_log::{LogError, ResultLog};

use crate::common::servers::kafka;
use crate::support::*;

#[actix::test]
async fn what_is_appended_is_read_whole() {
    let Some(kafka) = kafka() else { return };
    let log = open(&settings(kafka.brokers())).await;
    let results = group(0..100);

    log.append(results.clone()).await.unwrap();
    let mut reader = log.reader();
    let mut read = Vec::new();
    while read.len() < 100 {
        let batch = reader.next(7, Duration::ZERO).await.unwrap();
        assert!((1..=7).contains(&batch.results().count()));
        read.extend(batch.results().cloned());
        reader.commit(batch).await.unwrap();
    }

    read.sort_by_key(number);
    assert_eq!(&read, results.as_ref());
    assert_eq!(log.depth(), 0);
}

#[actix::test]
async fn what_was_read_and_not_committed_is_read_again() {
    let Some(kafka) = kafka() else { return };
    let log = open(&settings(kafka.brokers())).await;
    log.append(group(0..10)).await.unwrap();
    let mut first = log.reader();
    drain(&mut *first, 0..10).await;
    log.append(group(10..20)).await.unwrap();
    let lost = first.next(100, Duration::from_millis(200)).await.unwrap();

    let mut second = log.reader();
    let too_late = first.commit(lost).await;
    let read = drain(&mut *second, 10..20).await;

    assert!(matches!(too_late, Err(LogError::Closed)), "{too_late:?}");
    assert!(matches!(first.next(1, Duration::ZERO).await, Err(LogError::Closed)));
    assert_eq!(read, 10, "and nothing that was committed");
}
