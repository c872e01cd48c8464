//! Logs on stderr: lines for people, or a JSON object per line for machines. Passwords in URLs never get there.

use std::io::{self, Write as _};

use env_logger::fmt::Formatter;
use env_logger::fmt::style::{AnsiColor, Style};
use env_logger::{Builder, Target};
use log::kv::{Error, Key, Value, VisitSource, VisitValue};
use log::{Level, LevelFilter, Record};
use serde::ser::{SerializeMap, Serializer as _};
use serde_json::Value as Json;

use crate::config::{LogConfig, LogFormat, hide_password};
use crate::failure::chain;

/// Fields of ours in a JSON line. A key of the same name gets an underscore behind it.
const OURS: [&str; 4] = ["time", "level", "target", "message"];

/// Starts logging at `filter`; an empty one logs nothing.
pub(super) fn start(config: &LogConfig, filter: &str) {
    let mut builder = Builder::new();
    // It tells of each thread that it starts and ends.
    builder.filter_module("actix_server", LevelFilter::Warn).parse_filters(filter).target(Target::Stderr);
    match config.format {
        LogFormat::Text => builder.format(write_text),
        LogFormat::Json => builder.format(write_json),
    };
    // Fails only where there is a logger already, which will do.
    let _ = builder.try_init();
}

/// The formatter drops styles where stderr is no terminal.
fn write_text(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let time = out.timestamp_millis();
    writeln!(
        out,
        "{}",
        text_line(record, &time.to_string(), level_style(record.level()), Style::new().dimmed())
    )
}

fn write_json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let time = out.timestamp_millis();
    writeln!(out, "{}", json_line(record, &time.to_string())?)
}

fn level_style(level: Level) -> Style {
    let colour = match level {
        Level::Error => AnsiColor::Red,
        Level::Warn => AnsiColor::Yellow,
        Level::Info => AnsiColor::Green,
        Level::Debug | Level::Trace => AnsiColor::Blue,
    };
    colour.on_default()
}

fn text_line(record: &Record<'_>, time: &str, level: Style, key: Style) -> String {
    let message = on_one_line(&hide_passwords(&record.args().to_string()));
    let mut line = format!("{key}{time}{key:#} {level}{:<5}{level:#} ", record.level());
    if record.level() >= Level::Debug {
        // Where it comes from tells more than the message, down there.
        line += &format!("{key}{}{key:#} ", record.target());
    }
    line += &message;
    for (index, (name, value)) in fields(record).into_iter().enumerate() {
        let gap = if index == 0 { "  " } else { " " };
        line += &format!("{gap}{key}{name}={key:#}{}", plain(&value));
    }
    line
}

fn json_line(record: &Record<'_>, time: &str) -> io::Result<String> {
    let mut line = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut line);
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("time", time)?;
    map.serialize_entry("level", &record.level().as_str().to_lowercase())?;
    map.serialize_entry("target", record.target())?;
    map.serialize_entry("message", &hide_passwords(&record.args().to_string()))?;
    for (name, value) in fields(record) {
        let clash = if OURS.contains(&name.as_str()) { "_" } else { "" };
        map.serialize_entry(&format!("{name}{clash}"), &value)?;
    }
    map.end()?;
    String::from_utf8(line).map_err(io::Error::other)
}

/// The key-values in their order.
fn fields(record: &Record<'_>) -> Vec<(String, Json)> {
    let mut fields = Fields(Vec::new());
    // Neither we nor the sources of `log`'s macros ever fail here.
    let _ = record.key_values().visit(&mut fields);
    fields.0
}

struct Fields(Vec<(String, Json)>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let mut read = Read(Json::Null);
        match value.to_borrowed_error() {
            Some(error) => read.0 = Json::String(hide_passwords(&chain(error))),
            None => value.visit(&mut read)?,
        }
        self.0.push((key.to_string(), read.0));
        Ok(())
    }
}

struct Read(Json);

impl<'kvs> VisitValue<'kvs> for Read {
    fn visit_any(&mut self, value: Value<'_>) -> Result<(), Error> {
        self.visit_str(&value.to_string())
    }

    fn visit_str(&mut self, text: &str) -> Result<(), Error> {
        self.0 = Json::String(hide_passwords(text));
        Ok(())
    }

    fn visit_null(&mut self) -> Result<(), Error> {
        self.0 = Json::Null;
        Ok(())
    }

    fn visit_u64(&mut self, number: u64) -> Result<(), Error> {
        self.0 = number.into();
        Ok(())
    }

    fn visit_i64(&mut self, number: i64) -> Result<(), Error> {
        self.0 = number.into();
        Ok(())
    }

    fn visit_f64(&mut self, number: f64) -> Result<(), Error> {
        self.0 = number.into();
        Ok(())
    }

    fn visit_bool(&mut self, yes: bool) -> Result<(), Error> {
        self.0 = yes.into();
        Ok(())
    }
}

/// A value in a text line, in quotes where it could be misread.
fn plain(value: &Json) -> String {
    let Json::String(text) = value else { return value.to_string() };
    let unclear = |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '"' | '=');
    if text.is_empty() || text.contains(unclear) { format!("{text:?}") } else { text.clone() }
}

/// A line break in a message must not look like a second message.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() { line.extend(letter.escape_debug()) } else { line.push(letter) }
    }
    line
}

/// [`hide_password`] for each word: a text may name several URLs.
fn hide_passwords(text: &str) -> String {
    text.split_inclusive(char::is_whitespace).map(hide_password).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOON: &str = "2026-11-24T12:00:00.000Z";

    fn record<T>(message: &str, pairs: &[(&str, Value<'_>)], then: impl FnOnce(&Record<'_>) -> T) -> T {
        let args = format_args!("{message}");
        then(
            &Record::builder()
                .level(Level::Warn)
                .target("uptime_monitor::app")
                .args(args)
                .key_values(&pairs)
                .build(),
        )
    }

    fn text(message: &str, pairs: &[(&str, Value<'_>)]) -> String {
        record(message, pairs, |record| text_line(record, NOON, Style::new(), Style::new()))
    }

    fn json_value(message: &str, pairs: &[(&str, Value<'_>)]) -> Json {
        serde_json::from_str(&record(message, pairs, |record| json_line(record, NOON).unwrap())).unwrap()
    }

    #[test]
    fn a_line_for_people_has_the_message_first_and_values_behind_it() {
        let line = text(
            "claimer restarts",
            &[("cause", "it hung".into()), ("restarts", 3.into()), ("ok", true.into())],
        );

        assert_eq!(line, format!("{NOON} WARN  claimer restarts  cause=\"it hung\" restarts=3 ok=true"));
    }

    #[test]
    fn a_line_for_machines_is_one_object_with_a_field_per_value() {
        let line = json_value("claimer restarts", &[("cause", "it hung".into()), ("lag_ms", 1.5.into())]);

        let expected = json!({"time": NOON, "level": "warn", "target": "uptime_monitor::app",
            "message": "claimer restarts", "cause": "it hung", "lag_ms": 1.5});
        assert_eq!(line, expected);
    }

    #[test]
    fn a_key_of_ours_is_not_overwritten() {
        let line = json_value("checked", &[("target", "https://example.com/".into())]);

        assert_eq!(line["target"], "uptime_monitor::app");
        assert_eq!(line["target_"], "https://example.com/");
    }

    #[test]
    fn passwords_are_hidden_in_messages_and_values() {
        let url = "postgres://u:secret@db/uptime";
        let message = format!("from https://a/ to {url}");

        let line = text(&message, &[("url", url.into())])
            + &json_value(&message, &[("url", url.into())]).to_string();

        assert!(!line.contains("secret") && line.contains("postgres://u:***@db/uptime"), "{line}");
    }

    #[test]
    fn a_message_cannot_pose_as_two() {
        let line = text("first\n2026 second\u{1b}[31m", &[("body", "a\nb".into())]);

        assert_eq!(line.lines().count(), 1);
        assert!(line.ends_with(r#"first\n2026 second\u{1b}[31m  body="a\nb""#), "{line}");
    }

    #[test]
    fn an_error_is_logged_with_its_causes() {
        let error = crate::database::DatabaseError::Migrate("disk full".into());

        let line = text("database is away", &[("error", Value::from_dyn_error(&error))]);

        assert!(line.ends_with(r#"error="failed to migrate the database: disk full""#), "{line}");
    }
}
