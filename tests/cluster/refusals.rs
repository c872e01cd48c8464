//! Servers that will never have a role: it ends with 3 and a sentence that says what to do, and does not try for ever.

use crate::cluster::Cluster;
use crate::servers::{self, Kafka};

/// A role, what is wrong with its settings, and words that its last sentence must have.
type Case = (&'static str, Vec<(String, String)>, Vec<&'static str>);

/// Starts the role, which must end by itself, and reads its last sentence.
fn assert_refused(cluster: &Cluster<'_>, (role, settings, words): Case) {
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();

    let done = cluster.spawn_with(role, &settings).ends();

    assert_eq!((done.code, done.out.as_str()), (Some(3), ""), "{role} {settings:?}: {done:?}");
    let last = done.err.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: "), "{role}: {done:?}");
    for word in words {
        assert!(last.contains(word), "{role}: {word:?} is not in: {last}");
    }
    for trace in ["panicked", "backtrace", "hunter2", "   0: "] {
        assert!(!done.err.contains(trace), "{role}: {trace:?} is in: {}", done.err);
    }
}

#[test]
fn a_role_that_a_server_refuses_ends_with_3_and_a_remedy() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), Kafka::start_secure(1)) else { return };
    let cluster = Cluster::with_kafka(postgres, &kafka);
    // It makes the topics, of 4 partitions.
    cluster.start("consumer").kill();
    let wrong_password = cluster.url.replace(":uptime@", ":hunter2@");
    let nowhere = cluster.url.replace("/test_", "/none_");
    assert!(wrong_password != cluster.url && nowhere != cluster.url);
    let url = |url| vec![("database.url".to_owned(), url)];
    let login = [
        ("brokers", kafka.sasl_brokers()),
        ("security", "sasl_tls"),
        ("ca_file", kafka.ca_file().to_str().unwrap()),
        ("username", "app"),
        ("password", "hunter2"),
    ];
    let login = login.map(|(key, value)| (format!("result_log.kafka.{key}"), value.to_owned())).to_vec();
    let partitions = vec![("result_log.kafka.partitions".to_owned(), "12".to_owned())];

    let cases: [Case; 6] = [
        ("worker", url(wrong_password), vec!["password", "database.url", "\"uptime\""]),
        ("scheduler", url(nowhere), vec!["does not exist", "CREATE DATABASE"]),
        ("consumer", login.clone(), vec!["uthentication", "result_log.kafka.username"]),
        ("worker", login, vec!["uthentication", "result_log.kafka.username"]),
        (
            "consumer",
            partitions.clone(),
            vec!["4 partition(s) and not 12", "result_log.kafka.partitions = 4"],
        ),
        ("worker", partitions, vec!["4 partition(s) and not 12", "result_log.kafka.partitions = 4"]),
    ];
    cases.into_iter().for_each(|case| assert_refused(&cluster, case));
}

#[test]
fn a_database_from_a_newer_version_is_refused_by_every_role() {
    let (Some(postgres), Some(kafka)) = (servers::postgres(), servers::kafka()) else { return };
    let cluster = Cluster::with_kafka(postgres, kafka);
    assert_eq!(cluster.cli("migrate").code, Some(0));
    cluster.ask("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')");

    for role in ["scheduler", "worker", "consumer", "run", "migrate"] {
        let words = vec!["99990101000000", "start the newer version"];
        assert_refused(&cluster, (role, Vec::new(), words));
    }
}
