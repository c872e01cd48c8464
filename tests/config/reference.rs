//! The compiled-in reference is complete, and says what the documents promise.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use uptime_monitor::config::{LogFormat, REFERENCE, ResultLogKind, Sources, load};

use crate::Setup;

#[test]
fn every_key_of_the_structs_stands_in_the_reference_and_no_other() {
    let reference: toml::Table = REFERENCE.parse().unwrap();
    let written: BTreeSet<String> =
        reference.iter().flat_map(|(section, value)| keys(section, value)).collect();

    // Whatever a struct reads is listed here, and a key it cannot find in the reference is a problem.
    let read = load(Sources::default()).unwrap().origins.into_iter().map(|entry| entry.key).collect();

    assert_eq!(written, read);
}

fn keys(name: &str, value: &toml::Value) -> Vec<String> {
    match value.as_table() {
        Some(table) => table.iter().flat_map(|(key, value)| keys(&format!("{name}.{key}"), value)).collect(),
        None => vec![name.to_owned()],
    }
}

#[test]
fn the_reference_is_itself_a_valid_file_and_changes_nothing() {
    let setup = Setup::file(REFERENCE);

    assert_eq!(setup.config(), load(Sources::default()).unwrap().config);
}

#[test]
fn the_sites_in_the_reference_are_valid_once_their_comment_signs_are_gone() {
    let from = REFERENCE.find("# [[site]]").unwrap();
    let sites: String =
        REFERENCE[from..].lines().map(|line| format!("{}\n", line.trim_start_matches('#'))).collect();

    let loaded = Setup::file(&sites).load().unwrap();

    assert_eq!(loaded.sites.len(), 4);
    assert_eq!(loaded.sites[0].tags, ["prod", "eu"]);
    let settings = loaded.sites[0].settings.as_ref().unwrap();
    assert_eq!((settings.request.headers.len(), settings.request.basic_auth.is_some()), (2, true));
    assert_eq!(
        (settings.expect.status.len(), settings.expect.headers.len(), settings.expect.json.len()),
        (3, 2, 3)
    );
    assert_eq!(
        (settings.tls.min_version.is_some(), settings.expect.response_time.down.is_some()),
        (true, true)
    );
    let redis = loaded.sites[1].settings.as_ref().unwrap();
    assert_eq!(redis.tcp.as_ref().unwrap().send.as_deref(), Some("PING\r\n"));
    assert_eq!(redis.expect.body.contains, ["+PONG"]);
    assert_eq!(loaded.sites[3].schedule.cron().unwrap().text(), "*/5 8-18 * * mon-fri Europe/Berlin");
}

#[test]
fn the_reference_itself_declares_no_site() {
    let loaded = load(Sources::default()).unwrap();

    assert!(loaded.sites.is_empty());
    assert_eq!(loaded.file, None);
}

#[test]
fn the_defaults_are_those_of_the_documents() {
    let config = load(Sources::default()).unwrap().config;

    assert_eq!(config.database.sqlite_path(), Some(Path::new("data/uptime.db")));
    assert!(config.database.migrate);
    assert_eq!((config.result_log.kind, config.result_log.capacity), (ResultLogKind::Local, 20_000));
    assert_eq!(config.scheduler.tick, Duration::from_secs(1));
    assert_eq!(
        (config.worker.threads, config.worker.concurrency, config.worker.max_attempts),
        (0, 10_000, 5)
    );
    assert_eq!(
        (config.worker.lease, config.worker.poll),
        (Duration::from_secs(30), Duration::from_millis(250))
    );
    assert_eq!(config.checker.timeout, Duration::from_secs(10));
    assert_eq!(config.checker.user_agent, concat!("uptime-monitor/", env!("CARGO_PKG_VERSION")));
    assert_eq!((config.checker.body_limit, config.checker.max_redirects), (1 << 20, 10));
    assert_eq!(config.checker.deny_targets, ["link-local", "multicast", "unspecified"]);
    assert!(config.checker.dns.is_empty());
    assert_eq!((config.persister.batch, config.persister.linger), (5_000, Duration::from_millis(500)));
    assert_eq!((config.supervisor.max_restarts, config.supervisor.window), (10, Duration::from_secs(60)));
    assert_eq!(config.supervisor.shutdown_timeout, Duration::from_secs(8));
    assert_eq!(config.retention.results, Duration::from_hours(24 * 30));
    assert_eq!((config.log.level.as_str(), config.log.format), ("info", LogFormat::Text));
}
