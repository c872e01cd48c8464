//! Reads settings into typed fields. What cannot be read becomes a problem and a placeholder, so that reading goes on
//! to the next; with any problem the whole is refused, and nobody sees a placeholder.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault::Fault;
use super::layers::{Settings, refused};
use super::problem::Problem;
use super::value::{Origin, Value};
use super::{format, parse};

/// A value in force, for `config show`.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// For example `database.url`.
    pub key: String,
    /// As TOML, in the form in which it would be written. May hold a secret.
    pub value: toml::Value,
    /// Where it was written.
    pub origin: Origin,
}

pub(super) struct Reader<'a> {
    settings: &'a Settings,
    section: &'static str,
    problems: Vec<Problem>,
    effective: Vec<Effective>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self { settings, section: "", problems: Vec::new(), effective: Vec::new() }
    }

    /// The same reader, for the keys of `section`.
    pub(super) fn section(&mut self, section: &'static str) -> &mut Self {
        self.section = section;
        self
    }

    pub(super) fn finish(self) -> (Vec<Effective>, Vec<Problem>) {
        (self.effective, self.problems)
    }

    pub(super) fn bool(&mut self, key: &str) -> bool {
        self.read(key, parse::bool, |value| (*value).into())
    }

    pub(super) fn count<T>(&mut self, key: &str, range: RangeInclusive<i64>) -> T
    where
        T: TryFrom<i64> + Default,
    {
        let in_range = self.read(key, |value| parse::count(value, &range), |count| (*count).into());
        T::try_from(in_range).unwrap_or_default()
    }

    pub(super) fn duration(&mut self, key: &str, range: RangeInclusive<Duration>) -> Duration {
        self.read(key, |value| parse::duration_within(value, &range), |it| format::duration(*it).into())
    }

    /// Bytes.
    pub(super) fn size(&mut self, key: &str, range: RangeInclusive<usize>) -> usize {
        self.read(key, |value| parse::size(value, &range), |size| format::size(*size))
    }

    pub(super) fn text(&mut self, key: &str, check: fn(&str) -> Result<String, Fault>) -> String {
        self.read(key, |value| check(parse::text(value)?), |text| text.as_str().into())
    }

    /// A path, relative to the file that names it; empty: none.
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let path = self.text(key, |path| Ok(path.to_owned()));
        if path.is_empty() {
            return None;
        }
        let setting = self.settings.get(&self.full(key)).and_then(Option::as_ref);
        let folder = match setting.map(|setting| &setting.origin) {
            Some(Origin::File(file, _)) => file.parent(),
            _ => None,
        };
        Some(folder.unwrap_or(Path::new("")).join(path))
    }

    /// A word that stands for something. The word as written is what `config show` shows.
    pub(super) fn choice<T: Default>(&mut self, key: &str, parse: fn(&str) -> Result<T, Fault>) -> T {
        let read = self.read(
            key,
            |value| parse::text(value).and_then(|word| Ok((word.to_owned(), Some(parse(word)?)))),
            |(word, _)| word.as_str().into(),
        );
        read.1.unwrap_or_default()
    }

    pub(super) fn list<T: ToString>(&mut self, key: &str, parse: fn(&str) -> Result<T, Fault>) -> Vec<T> {
        self.read(
            key,
            |value| parse::list(value)?.iter().map(|item| parse(item)).collect(),
            |items: &Vec<T>| {
                items.iter().map(|item| item.to_string().into()).collect::<Vec<toml::Value>>().into()
            },
        )
    }

    fn read<T: Default>(
        &mut self,
        key: &str,
        parse: impl FnOnce(&Value) -> Result<T, Fault>,
        show: impl FnOnce(&T) -> toml::Value,
    ) -> T {
        let key = self.full(key);
        let Some(setting) = self.settings.get(&key) else {
            let message = "has no default: it is missing from the compiled-in config/uptime.toml";
            self.problems.push(Problem::new(None, message, "this is a bug, please report it").about(key));
            return T::default();
        };
        let Some(setting) = setting else { return T::default() };
        match parse(&setting.value) {
            Ok(value) => {
                self.effective.push(Effective { key, value: show(&value), origin: setting.origin.clone() });
                value
            }
            Err(fault) => {
                self.problems.push(refused(&key, &key, setting, fault));
                T::default()
            }
        }
    }

    /// Refuses a value that is well formed and of no use.
    pub(super) fn refuse(&mut self, key: &str, message: &str, remedy: &str) {
        let key = self.full(key);
        let is_refused = self.problems.iter().any(|problem| problem.key == key);
        if let (Some(Some(setting)), false) = (self.settings.get(&key), is_refused) {
            self.problems.push(refused(&key, &key, setting, Fault::new(message, remedy)));
        }
    }

    /// Refuses two keys that contradict each other, unless one of them is refused anyway. Keys with a dot are of any section.
    pub(super) fn conflict(&mut self, keys: [&str; 2], is: &str, remedy: &str) {
        let [first, second] = keys.map(|key| self.full(key));
        let (Some(Some(a)), Some(Some(b))) = (self.settings.get(&first), self.settings.get(&second)) else {
            return;
        };
        if self.problems.iter().any(|problem| problem.key == first || problem.key == second) {
            return;
        }
        let message = format!("{is} {second} = {} ({})", b.written(), b.origin);
        // Blame what somebody wrote rather than a default.
        let mut problem = Problem::with(&first, a, Fault::new(message, remedy));
        if a.origin == Origin::Default {
            problem.origin = Some(b.origin.clone());
        }
        self.problems.push(problem);
    }

    fn full(&self, key: &str) -> String {
        if key.contains('.') { key.to_owned() } else { format!("{}.{key}", self.section) }
    }
}
