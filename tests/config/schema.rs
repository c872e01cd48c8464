//! The JSON Schema of a configuration file: as strict as the program where it can be, and never stricter.

use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::Value;
use uptime_monitor::config::{Key, REFERENCE, schema};

use crate::Setup;

fn validator() -> Validator {
    jsonschema::options().build(&schema()).unwrap()
}

fn json(file: &str) -> Value {
    serde_json::to_value(file.parse::<toml::Table>().unwrap()).unwrap()
}

fn faults(file: &str) -> Vec<String> {
    validator().iter_errors(&json(file)).map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
}

/// The reference with its sites in force.
fn reference_with_sites() -> String {
    let (settings, sites) = REFERENCE.split_at(REFERENCE.find("# [[site]]").unwrap());
    let sites = sites.lines().map(|line| format!("{}\n", line.trim_start_matches('#')));
    settings.to_owned() + &sites.collect::<String>()
}

#[test]
fn the_reference_with_its_sites_is_as_the_schema_says() {
    assert_eq!(faults(REFERENCE), [""; 0]);
    assert_eq!(faults(&reference_with_sites()), [""; 0]);
}

#[test]
fn every_key_of_a_site_is_named_in_the_reference() {
    let sites = &REFERENCE[REFERENCE.find("# [[site]]").unwrap()..];
    let named: BTreeSet<&str> =
        sites.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();

    let missing: Vec<&str> = Key::all().flat_map(Key::names).filter(|name| !named.contains(name)).collect();

    assert_eq!(missing, [""; 0]);
}

#[test]
fn what_the_schema_refuses_the_program_refuses_too() {
    let site = "[[site]]\nname = \"a\"\nurl = \"https://a.example/\"\n";
    for wrong in [
        "[databse]\nurl = \"x\"",
        "[database]\nurk = \"x\"",
        "[database]\nmigrate = 3",
        "[database]\nconnections = [8]",
        &format!("{site}evry = \"1m\""),
        &format!("{site}retries = 11"),
        &format!("{site}request = {{ methd = \"GET\" }}"),
        &format!("{site}request = {{ method = \"FETCH\" }}"),
        &format!("{site}request = {{ follow_redirects = 1 }}"),
        &format!("{site}tls = {{ min_version = \"1.1\" }}"),
        &format!("{site}expect = {{ json = [{{ path = \"$.a\", gt = [1] }}] }}"),
        &format!("{site}expect = {{ headers = [{{ nme = \"a\" }}] }}"),
    ] {
        assert_ne!(faults(wrong), [""; 0], "{wrong}");
        assert!(Setup::file(wrong).load().is_err(), "{wrong}");
    }
}

#[test]
fn what_the_program_takes_the_schema_does_not_refuse() {
    let site = "[[site]]\nname = \"a\"\nurl = \"https://a.example/\"\n";
    for fine in [
        "[database]\nconnections = \"${CONNECTIONS}\"",
        "[database]\nurl_file = \"url.txt\"",
        "[result_log.kafka]\nbrokers = [\"a:1\"]",
        "[result_log.kafka]\nbrokers = \"${BROKERS}\"",
        "[checker]\ndeny_targets = []",
        &format!("{site}retries = \"${{RETRIES}}\"\nenabled = \"${{ENABLED}}\""),
        &format!("{site}tags = [\"one\"]\nexpect = {{ status = \"2xx\" }}"),
        &format!(
            "{site}expect = {{ status = 204, json = {{ path = \"$.a\", equals = [1, {{ b = true }}] }} }}"
        ),
        &format!("{site}request = {{ bearer_token_file = \"token\", headers = {{ Any-Name = \"b\" }} }}"),
        "[[site]]\nname = \"a\"\nurl = \"tcp://a.example:1\"\nexpect = \"+PONG\"",
    ] {
        assert_eq!(faults(fine), [""; 0], "{fine}");
        let setup = Setup::file(fine).beside("token", "t0ken").beside("url.txt", "sqlite://data/uptime.db");
        let env = [("CONNECTIONS", "8"), ("RETRIES", "2"), ("ENABLED", "false"), ("BROKERS", "a:1,b:1")];
        let setup = env.iter().fold(setup, |setup, (name, value)| setup.env(name, value));
        assert!(setup.load().is_ok(), "{fine}: {}", setup.load().unwrap_err());
    }
}
