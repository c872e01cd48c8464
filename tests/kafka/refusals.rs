//! What does not work says why, and what to do about it.

use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use uptime_monitor::clock::Clock;
use uptime_monitor::result_log::kafka::KafkaResultLog;
use uptime_monitor::result_log::kafka_settings::{GroupProtocol, KafkaSettings, Mechanism, Security};
use uptime_monitor::result_log::{LogError, ResultLog};

use crate::common::servers::{Kafka, kafka};
use crate::support::*;

/// Opens what can't be opened, and returns the sentence.
async fn refused(settings: KafkaSettings) -> String {
    match KafkaResultLog::open(settings.clone()).await {
        Err(error @ LogError::Refused { .. }) => sentence(&settings, &error),
        Err(error) => panic!("not refused: {error}"),
        Ok(_) => panic!("it opens"),
    }
}

/// The same for what may heal.
async fn unreachable(settings: KafkaSettings) -> String {
    let started = Clock::instant();
    match KafkaResultLog::open(settings.clone()).await {
        Err(error @ LogError::Unreachable { .. }) => {
            assert!(started.elapsed() < Duration::from_secs(15), "{:?}", started.elapsed());
            sentence(&settings, &error)
        }
        Err(error) => panic!("not unreachable: {error}"),
        Ok(_) => panic!("it opens"),
    }
}

/// Every sentence names the brokers, is one line and tells no password.
fn sentence(settings: &KafkaSettings, error: &LogError) -> String {
    let text = error.to_string();
    assert!(text.contains(&settings.server()), "{text}");
    assert!(!text.contains('\n') && !text.contains("secret"), "{text}");
    text
}

fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

fn sasl(kafka: &Kafka, mechanism: Mechanism) -> KafkaSettings {
    KafkaSettings {
        security: Security::SaslTls,
        mechanism,
        username: "app".to_owned(),
        password: "app-secret".to_owned(),
        ca_file: Some(kafka.ca_file().to_owned()),
        ..settings(kafka.sasl_brokers())
    }
}

fn tls(kafka: &Kafka) -> KafkaSettings {
    let ca_file = Some(kafka.ca_file().to_owned());
    KafkaSettings { security: Security::Tls, ca_file, ..settings(kafka.tls_brokers()) }
}

#[actix::test]
async fn brokers_that_are_away_are_said_to_be_and_why() {
    let text = unreachable(settings("127.0.0.1:1")).await;
    says(&text, &["failed to reach the result log at 127.0.0.1:1", "Connection refused"]);

    let text = unreachable(settings("no-such-host.invalid:9092")).await;
    says(&text, &["no-such-host.invalid:9092", "Failed to resolve"]);
}

#[actix::test]
async fn a_port_that_does_not_answer_is_given_up_in_time() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();

    let text = unreachable(settings(&silent.local_addr().unwrap().to_string())).await;

    says(&text, &["failed to reach"]);
}

#[actix::test]
async fn another_number_of_partitions_is_refused() {
    let Some(kafka) = kafka() else { return };
    let three = settings(kafka.brokers());
    open(&three).await;

    let text = refused(KafkaSettings { partitions: 12, ..three.clone() }).await;

    says(
        &text,
        &["has 3 partition(s) and not 12", "result_log.kafka.partitions = 3", "kafka-topics --alter"],
    );
}

#[actix::test]
async fn a_topic_that_a_broker_made_by_itself_is_found_out() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());
    let admin: AdminClient<DefaultClientContext> = client(&settings).create().unwrap();
    let one = NewTopic::new(&settings.topic, 1, TopicReplication::Fixed(-1));
    admin.create_topics(&[one], &AdminOptions::new()).await.unwrap();

    let text = refused(settings).await;

    says(&text, &["has 1 partition(s) and not 3"]);
}

#[actix::test]
async fn a_topic_that_can_not_be_made_is_refused() {
    let Some(kafka) = kafka() else { return };

    let text = refused(KafkaSettings { topic: "no spaces!".to_owned(), ..settings(kafka.brokers()) }).await;
    says(&text, &["no spaces!", "letters, digits"]);

    let text = refused(KafkaSettings { replication: 9, ..settings(kafka.brokers()) }).await;
    says(&text, &["result_log.kafka.replication"]);
}

#[actix::test]
async fn processes_that_start_together_make_the_topics_once() {
    let Some(kafka) = kafka() else { return };
    let settings = settings(kafka.brokers());

    let opening = (0..4).map(|_| KafkaResultLog::open(settings.clone()));
    let opened = futures_util::future::join_all(opening).await;

    assert!(
        opened.iter().all(Result::is_ok),
        "{:?}",
        opened.iter().map(|log| log.as_ref().err()).collect::<Vec<_>>()
    );
}

#[actix::test]
async fn every_kind_of_login_works_and_a_wrong_one_is_refused() {
    let Some(kafka) = Kafka::start_secure(1) else { return };

    for mechanism in [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512] {
        let log = open(&sasl(&kafka, mechanism)).await;
        log.append(group(0..3)).await.unwrap();
        drain(&mut *log.reader(), 0..3).await;

        let text = refused(KafkaSettings { password: "wrong".to_owned(), ..sasl(&kafka, mechanism) }).await;
        says(&text, &["uthentication", "result_log.kafka.username"]);
        let text = refused(KafkaSettings { username: "nobody".to_owned(), ..sasl(&kafka, mechanism) }).await;
        says(&text, &["uthentication", "result_log.kafka.username"]);
    }
    wrong_listeners(&kafka).await;
    wrong_certificates(&kafka).await;
}

async fn wrong_listeners(kafka: &Kafka) {
    let plain = Security::Plaintext;
    let text = refused(KafkaSettings { security: plain, ..tls(kafka) }).await;
    says(&text, &["the listener speaks TLS", "result_log.kafka.security"]);
    let text = refused(KafkaSettings { security: plain, ..sasl(kafka, Mechanism::Plain) }).await;
    says(&text, &["the listener speaks TLS", "result_log.kafka.security"]);

    let brokers = settings(kafka.brokers()).brokers;
    let text = refused(KafkaSettings { brokers: brokers.clone(), ..tls(kafka) }).await;
    says(&text, &["the listener does not speak TLS", "result_log.kafka.security"]);

    let no_login =
        KafkaSettings { security: Security::SaslPlaintext, brokers, ..sasl(kafka, Mechanism::Plain) };
    let text = refused(no_login).await;
    says(&text, &["takes no login", "result_log.kafka.security"]);

    let text = unreachable(KafkaSettings { security: Security::Tls, ..sasl(kafka, Mechanism::Plain) }).await;
    says(&text, &["closed", "SASL"]);
}

async fn wrong_certificates(kafka: &Kafka) {
    open(&tls(kafka)).await;
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.pem");
    std::fs::write(&path, other.cert.pem()).unwrap();

    for ca_file in [None, Some(path.clone())] {
        let text = refused(KafkaSettings { ca_file, ..tls(kafka) }).await;
        says(&text, &["certificate verify failed", "result_log.kafka.ca_file"]);
    }

    std::fs::write(&path, "no certificate").unwrap();
    for path in [path, folder.path().join("nowhere.pem")] {
        let text = refused(KafkaSettings { ca_file: Some(path), ..tls(kafka) }).await;
        says(&text, &["result_log.kafka.ca_file"]);
    }
}

#[actix::test]
async fn brokers_too_old_for_the_group_protocol_are_read_with_the_classic_one() {
    let Some(kafka) = Kafka::start_version("3.9.2") else { return };
    let settings = settings(kafka.brokers());
    let log = open(&settings).await;
    log.append(group(0..3)).await.unwrap();

    drain(&mut *log.reader(), 0..3).await;

    let classic = KafkaSettings { group_protocol: GroupProtocol::Classic, ..settings };
    log.append(group(3..6)).await.unwrap();
    log.close(SOON);
    drain(&mut *open(&classic).await.reader(), 3..6).await;
}

#[actix::test]
async fn a_topic_that_is_compacted_is_refused() {
    let Some(kafka) = kafka() else { return };
    for policy in ["compact", "compact,delete"] {
        let settings = settings(kafka.brokers());
        let admin: AdminClient<DefaultClientContext> = client(&settings).create().unwrap();
        let topic = NewTopic::new(&settings.topic, settings.partitions, TopicReplication::Fixed(-1));
        admin.create_topics(&[topic.set("cleanup.policy", policy)], &AdminOptions::new()).await.unwrap();

        let text = refused(settings).await;

        says(&text, &["is compacted", "cleanup.policy=delete"]);
    }
}
