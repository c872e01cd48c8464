//! One of the tables `request`, `tls` and `expect`, as flags fill it.

use toml::{Table, Value as Toml};

use crate::config::{Fault, Key, Origin, Problem, Setting, Value};
use crate::probe::escaped;

/// Characters of a flag's value that a problem shows.
const SHOWN_CHARS: usize = 80;

/// What flags say about one table.
#[derive(Debug)]
pub(super) struct Section {
    /// `request`, `tls` or `expect`.
    name: &'static str,
    /// Those that were given, whatever became of them.
    flags: Vec<&'static str>,
    said: Vec<Said>,
    problems: Vec<Problem>,
}

/// A value for the key at `path`.
#[derive(Debug)]
struct Said {
    path: &'static [&'static str],
    value: Toml,
}

impl Section {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, flags: Vec::new(), said: Vec::new(), problems: Vec::new() }
    }

    /// `flag` gives the key at `path` this value, if it gives any.
    pub(super) fn say(
        &mut self,
        flag: &'static str,
        path: &'static [&'static str],
        value: Option<impl Into<Toml>>,
    ) {
        if let Some(value) = value {
            self.note(flag);
            self.said.push(Said { path, value: value.into() });
        }
    }

    /// As [`Section::say`], for a flag that may be given several times: all its values are one list.
    pub(super) fn say_all(
        &mut self,
        flag: &'static str,
        path: &'static [&'static str],
        values: Vec<impl Into<Toml>>,
    ) {
        let values: Vec<Toml> = values.into_iter().map(Into::into).collect();
        self.say(flag, path, (!values.is_empty()).then_some(values));
    }

    /// The value of `flag` is wrong. A `value` that may be a secret is not shown.
    pub(super) fn refuse(&mut self, flag: &'static str, value: Option<&str>, fault: Fault) {
        self.note(flag);
        let problem = Problem::new(Origin::Flag(flag.into()), fault.message, fault.remedy);
        self.problems.push(match value {
            Some(value) => {
                let value = Some(format!("\"{}\"", escaped(value, SHOWN_CHARS)));
                Problem { value, ..problem.about(flag.trim_start_matches("--")) }
            }
            None => problem,
        });
    }

    fn note(&mut self, flag: &'static str) {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }

    /// Those that were given.
    pub(super) fn flags(&self) -> Vec<&'static str> {
        self.flags.clone()
    }

    /// The table that was `said` before, with what the flags say put over it. Keys that no flag names stay.
    pub(super) fn over(self, said: Option<Setting>, problems: &mut Vec<Problem>) -> Option<Setting> {
        problems.extend(self.problems);
        if self.said.is_empty() {
            return said;
        }
        let mut table = match said.map(|setting| setting.value) {
            Some(Value::Typed(Toml::Table(table))) => table,
            _ => Table::new(),
        };
        let origin = Origin::Flag(self.flags.join(", ").into());
        for Said { path, value, .. } in self.said {
            put(self.name, &mut table, path, value);
        }
        Some(Setting::new(Value::Typed(table.into()), origin))
    }
}

/// Puts `value` at `path` inside a table of a site. Keys that must not stand beside it go.
fn put(section: &str, table: &mut Table, path: &[&str], value: Toml) {
    let [key, inner @ ..] = path else { return };
    let others = Key::alternatives(section, key);
    table.retain(|known, _| known == *key || !others.contains(&known));
    if inner.is_empty() {
        table.insert((*key).to_owned(), value);
        return;
    }
    let entry = table.entry(*key).or_insert_with(|| Table::new().into());
    if let Toml::Table(entry) = entry {
        put(&format!("{section}.{key}"), entry, inner, value);
    }
}

/// A whole number as one. Anything else stays as typed, for the validation to read or to refuse.
pub(super) fn number(text: &str) -> Toml {
    let text = text.trim();
    text.parse::<i64>().map_or_else(|_| text.into(), Toml::from)
}

/// A path as seen from here, wherever it is opened.
pub(super) fn path(typed: &str) -> String {
    let absolute = std::path::absolute(typed).ok();
    let text = absolute.as_ref().and_then(|path| path.to_str());
    text.unwrap_or(typed).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(setting: Option<Setting>) -> Table {
        match setting.unwrap().value {
            Value::Typed(Toml::Table(table)) => table,
            other => panic!("{other:?} is no table"),
        }
    }

    fn said(text: &str) -> Option<Setting> {
        let table: Table = text.parse().unwrap();
        Some(Setting::new(Value::Typed(table.into()), Origin::Default))
    }

    #[test]
    fn what_no_flag_names_stays() {
        let mut section = Section::new("expect");
        section.say("--down-after", &["response_time", "down"], Some("5s"));
        section.say_all("--expect-status", &["status"], vec![number("204"), number("3xx")]);
        let before = said("status = [200]\nresponse_time = { degraded = \"1s\" }\ntls = \"required\"");

        let table = table(section.over(before, &mut Vec::new()));

        let expected = "status = [204, \"3xx\"]\ntls = \"required\"\n\
            response_time = { degraded = \"1s\", down = \"5s\" }";
        assert_eq!(table, expected.parse().unwrap());
    }

    #[test]
    fn what_excludes_each_other_is_replaced() {
        let mut section = Section::new("request");
        section.say("--bearer-token", &["bearer_token"], Some("new"));
        section.say("--body-file", &["body_file"], Some("/tmp/body"));
        let before = said("method = \"POST\"\nbody = \"old\"\nbasic_auth = { username = \"u\" }");

        let table = table(section.over(before, &mut Vec::new()));

        let expected = "method = \"POST\"\nbearer_token = \"new\"\nbody_file = \"/tmp/body\"";
        assert_eq!(table, expected.parse().unwrap());
    }

    #[test]
    fn the_origin_names_every_flag_once() {
        let mut section = Section::new("request");
        section.say("--ip", &["ip"], Some("v4"));
        section.say("--max-redirects", &["max_redirects"], Some(number("3")));

        let setting = section.over(None, &mut Vec::new()).unwrap();

        assert_eq!(setting.origin.to_string(), "command line (--ip, --max-redirects)");
    }

    #[test]
    fn without_a_flag_nothing_is_said() {
        assert_eq!(Section::new("request").over(None, &mut Vec::new()), None);
        assert_eq!(Section::new("request").over(said("a = 1"), &mut Vec::new()), said("a = 1"));
    }

    #[test]
    fn a_path_is_made_absolute() {
        assert_eq!(path("/etc/ca.pem"), "/etc/ca.pem");
        assert!(path("ca.pem").ends_with("/ca.pem") && path("ca.pem").starts_with('/'));
    }
}
