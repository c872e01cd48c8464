//! Reads the keys of a table inside a site. What cannot be read becomes a problem, and reading goes on.

use std::cell::RefCell;

use super::super::super::expand::Resolver;
use super::super::super::parse;
use super::super::super::problem::{Fault, Problem};
use super::super::super::suggest::nearest;
use super::super::super::value::{Origin, Setting, Value, inner_item, inner_key};
use super::super::RawSite;
use crate::model::settings::is_secret_header;

/// Whatever they hold is shown to nobody, also where it is wrong.
const SECRETS: [&str; 4] =
    ["request.bearer_token", "request.basic_auth.password", "request.body", "tls.client_key"];

/// One of the tables of a site, and where its problems go.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) site: &'a RawSite,
    /// `request`, `tls` or `expect`.
    pub(super) name: &'static str,
    pub(super) setting: &'a Setting,
    pub(super) problems: &'a RefCell<Vec<Problem>>,
}

/// A table whose keys are all known.
pub(super) struct Keys<'a> {
    section: Section<'a>,
    /// Inside the section. Empty for the section itself.
    path: String,
    table: &'a toml::Table,
}

impl<'a> Section<'a> {
    /// Its keys, of which all but `known` are problems.
    pub(super) fn open(self, known: &[&str]) -> Option<Keys<'a>> {
        match &self.setting.value {
            Value::Typed(value) => self.table("", value, known),
            Value::Text(_) => self.no_table("", &self.setting.value),
        }
    }

    fn table(self, path: &str, value: &'a toml::Value, known: &[&str]) -> Option<Keys<'a>> {
        let toml::Value::Table(table) = value else {
            return self.no_table(path, &Value::Typed(value.clone()));
        };
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            let remedy = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean {}?", self.full(&inner_key(path, near))),
                None => format!("remove it; {} has {}", self.full(path), known.join(", ")),
            };
            // Without its value: what a misspelt key holds may be a secret.
            self.complain(&inner_key(path, key), "unknown key", &remedy);
        }
        Some(Keys { section: self, path: path.to_owned(), table })
    }

    /// Without the value, for the same reason.
    fn no_table<T>(self, path: &str, value: &Value) -> Option<T> {
        let remedy = format!("write {} = {{ … }}", self.full(path));
        self.complain(path, &format!("is {}, not a table", value.kind()), &remedy);
        None
    }

    fn complain(self, path: &str, message: &str, remedy: &str) {
        let problem = Problem::new(self.setting.origin_of(path), message, remedy)
            .about(self.site.key(&self.full(path)));
        self.problems.borrow_mut().push(problem);
    }

    /// Reads one value, which lies at `path`.
    fn read<T>(
        self,
        path: &str,
        setting: &Setting,
        parse: impl FnOnce(&Value) -> Result<T, Fault>,
    ) -> Option<T> {
        let refuse = |fault| {
            let fault = if setting.source.is_some() { discreet(fault, setting) } else { fault };
            self.refuse(path, setting, fault);
        };
        parse(&setting.value).map_err(refuse).ok()
    }

    fn refuse(self, path: &str, setting: &Setting, fault: Fault) {
        let problem = Problem::with(self.site.key(&self.full(path)), setting, fault);
        self.problems.borrow_mut().push(problem);
    }

    /// The value at `path` as a setting of its own.
    fn leaf(self, path: &str, value: &toml::Value) -> Setting {
        let resolved = self.setting.inner.sources.get(path);
        let hidden = self.is_secret(path).then(|| "\"***\"".to_owned());
        let is_untyped = resolved.is_some() || matches!(self.setting.origin, Origin::Flag(_));
        let value = match value {
            toml::Value::String(text) if is_untyped => Value::Text(text.clone()),
            other => Value::Typed(other.clone()),
        };
        Setting { source: resolved.cloned().or(hidden), ..Setting::new(value, self.setting.origin_of(path)) }
    }

    fn is_secret(self, path: &str) -> bool {
        let full = self.full(path);
        let header = full.strip_prefix("request.headers.");
        header.map_or_else(|| SECRETS.contains(&full.as_str()), is_secret_header)
    }

    fn full(self, path: &str) -> String {
        if path.is_empty() { self.name.to_owned() } else { format!("{}.{path}", self.name) }
    }
}

impl<'a> Keys<'a> {
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// `None` where the key is not said, and where it is wrong.
    pub(super) fn read<T>(&self, key: &str, parse: impl FnOnce(&Value) -> Result<T, Fault>) -> Option<T> {
        let (path, value) = self.entry(key)?;
        self.section.read(&path, &self.section.leaf(&path, value), parse)
    }

    pub(super) fn bool(&self, key: &str) -> Option<bool> {
        self.read(key, parse::bool)
    }

    pub(super) fn text<T>(&self, key: &str, parse: impl FnOnce(&str) -> Result<T, Fault>) -> Option<T> {
        self.read(key, |value| parse(parse::text(value)?))
    }

    /// The text of `key`, or of the file that `key_file` names.
    pub(super) fn text_or_file<T>(
        &self,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Fault>,
    ) -> Option<T> {
        let file_key = format!("{key}_file");
        let Some((path, value)) = self.entry(&file_key) else { return self.text(key, parse) };
        let named = self.section.leaf(&path, value);
        if self.has(key) {
            let fault = Fault::new(format!("stands beside {key}"), "keep one of the two");
            self.section.refuse(&path, &named, fault);
            return None;
        }
        match Resolver::beside(&self.section.setting.origin).resolve(named.clone(), true) {
            Ok(content) => self.section.read(&path, &content, |value| parse(parse::text(value)?)),
            Err(fault) => {
                self.section.refuse(&path, &named, fault);
                None
            }
        }
    }

    /// Every item that is as it should be. One value counts as a list of one.
    pub(super) fn list<T>(&self, key: &str, parse: impl Fn(&Value) -> Result<T, Fault>) -> Vec<T> {
        let items = self.items(key).into_iter();
        items
            .filter_map(|(path, item)| self.section.read(&path, &self.section.leaf(&path, item), &parse))
            .collect()
    }

    pub(super) fn table(&self, key: &str, known: &[&str]) -> Option<Keys<'a>> {
        let (path, value) = self.entry(key)?;
        self.section.table(&path, value, known)
    }

    /// A table with keys of the user's own.
    pub(super) fn free_table(&self, key: &str) -> Option<Keys<'a>> {
        let (path, value) = self.entry(key)?;
        match value {
            toml::Value::Table(table) => Some(Keys { section: self.section, path, table }),
            other => self.section.no_table(&path, &Value::Typed(other.clone())),
        }
    }

    /// A list of tables. One table counts as a list of one.
    pub(super) fn tables(&self, key: &str, known: &[&str]) -> Vec<Keys<'a>> {
        let items = self.items(key).into_iter();
        items.filter_map(|(path, item)| self.section.table(&path, item, known)).collect()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.table.keys().map(String::as_str)
    }

    /// Refuses a value that is well formed and of no use: of `key`, or of `key_file`.
    pub(super) fn refuse(&self, key: &str, message: impl Into<String>, remedy: &str) {
        let entry = self.entry(key).or_else(|| self.entry(&format!("{key}_file")));
        if let Some((path, value)) = entry {
            self.section.refuse(&path, &self.section.leaf(&path, value), Fault::new(message, remedy));
        }
    }

    pub(super) fn missing(&self, key: &str, remedy: &str) {
        self.section.complain(&inner_key(&self.path, key), "is missing", remedy);
    }

    fn entry(&self, key: &str) -> Option<(String, &'a toml::Value)> {
        Some((inner_key(&self.path, key), self.table.get(key)?))
    }

    fn items(&self, key: &str) -> Vec<(String, &'a toml::Value)> {
        match self.entry(key) {
            Some((path, toml::Value::Array(items))) => {
                items.iter().enumerate().map(|(at, item)| (inner_item(&path, at), item)).collect()
            }
            Some(single) => vec![single],
            None => Vec::new(),
        }
    }
}

/// What is wrong with a value that nobody is to see: without what a parser says, and without an example made of it.
fn discreet(fault: Fault, setting: &Setting) -> Fault {
    let said = fault.message.split(": ").next().unwrap_or_default().to_owned();
    let quotes = setting.value.as_str().is_some_and(|secret| fault.remedy.contains(secret));
    Fault::new(said, if quotes { "correct what it stands for".to_owned() } else { fault.remedy })
}
