//! Reads the keys of a table inside a site. What cannot be read becomes a problem, and reading goes on.

use super::section::Section;
use crate::config::expand::Resolver;
use crate::config::fault::Fault;
use crate::config::parse;
use crate::config::sites::table;
use crate::config::suggest::nearest;
use crate::config::value::{Value, inner_item, inner_key};

/// A table whose keys are all known.
pub(super) struct Keys<'a> {
    section: Section<'a>,
    /// Inside the section. Empty for the section itself.
    path: String,
    table: &'a toml::Table,
}

impl<'a> Keys<'a> {
    /// The keys of `section`, of which all that are unknown are problems.
    pub(super) fn of(section: Section<'a>) -> Option<Self> {
        match &section.setting.value {
            Value::Typed(value) => Self::inside(section, "", value),
            Value::Text(_) => section.no_table("", &section.setting.value),
        }
    }

    /// The same for the table at `path` in it.
    fn inside(section: Section<'a>, path: &str, value: &'a toml::Value) -> Option<Self> {
        let toml::Value::Table(said) = value else {
            return section.no_table(path, &Value::Typed(value.clone()));
        };
        let full = section.full(path);
        let known = table::known(full.split('[').next().unwrap_or(&full));
        for key in said.keys().filter(|key| !known.contains(&key.as_str())) {
            let remedy = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean {}?", section.full(&inner_key(path, near))),
                None => format!("remove it; {} has {}", section.full(path), known.join(", ")),
            };
            // Without its value: what a misspelt key holds may be a secret.
            section.complain(&inner_key(path, key), "unknown key", &remedy);
        }
        Some(Self { section, path: path.to_owned(), table: said })
    }

    pub(super) fn section_name(&self) -> &'static str {
        self.section.name
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether the table called `key` has one called `inner`.
    pub(super) fn has_inner(&self, key: &str, inner: &str) -> bool {
        self.table.get(key).is_some_and(|table| table.get(inner).is_some())
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

    /// The bytes of the file that `key` names, as they are; `most` and one more where there are more.
    pub(super) fn bytes_of_file(&self, key: &str, most: usize) -> Option<Vec<u8>> {
        let (path, value) = self.entry(key)?;
        let named = self.section.leaf(&path, value);
        let read = Resolver::beside(&self.section.setting.origin).read_bytes(&named, most);
        read.map_err(|fault| self.section.refuse(&path, &named, fault)).ok()
    }

    /// Every item that is as it should be. One value counts as a list of one.
    pub(super) fn list<T>(&self, key: &str, parse: impl Fn(&Value) -> Result<T, Fault>) -> Vec<T> {
        let items = self.items(key).into_iter();
        items
            .filter_map(|(path, item)| self.section.read(&path, &self.section.leaf(&path, item), &parse))
            .collect()
    }

    pub(super) fn table(&self, key: &str) -> Option<Keys<'a>> {
        let (path, value) = self.entry(key)?;
        Self::inside(self.section, &path, value)
    }

    /// A table with keys of the user's own.
    pub(super) fn free_table(&self, key: &str) -> Option<Keys<'a>> {
        let (path, value) = self.entry(key)?;
        match value {
            toml::Value::Table(table) => Some(Self { section: self.section, path, table }),
            other => self.section.no_table(&path, &Value::Typed(other.clone())),
        }
    }

    /// A list of tables. One table counts as a list of one.
    pub(super) fn tables(&self, key: &str) -> Vec<Keys<'a>> {
        let items = self.items(key).into_iter();
        items.filter_map(|(path, item)| Self::inside(self.section, &path, item)).collect()
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

    /// What is wrong with `key`, without its value.
    pub(super) fn complain(&self, key: &str, message: &str, remedy: &str) {
        self.section.complain(&inner_key(&self.path, key), message, remedy);
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
