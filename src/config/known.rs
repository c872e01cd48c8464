//! Which keys there are, taken from the reference file, and what an unknown one may have meant.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use super::fault::Fault;
use super::suggest::nearest;
use super::value::Value;

/// What a key sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The key itself.
    Key,
    /// The key named here, from the file that the value names.
    FromFile(String),
}

pub(super) struct Known {
    sections: BTreeSet<String>,
    /// Dotted key, and whether its default is a string.
    keys: BTreeMap<String, bool>,
}

impl Known {
    pub(super) fn of(reference: &Document) -> Self {
        let is_string = |value: &Value| matches!(value, Value::Typed(toml::Value::String(_)));
        Self {
            sections: reference.sections.iter().map(|(name, _)| name.clone()).collect(),
            keys: reference.settings.iter().map(|(key, it)| (key.clone(), is_string(&it.value))).collect(),
        }
    }

    pub(super) fn has_section(&self, section: &str) -> bool {
        self.sections.contains(section)
    }

    pub(super) fn unknown_section(&self, section: &str) -> Fault {
        if let Some(is_string) = self.keys.get(section) {
            let wanted = if *is_string { "a string" } else { "a single value" };
            return Fault::new(format!("is a table, not {wanted}"), format!("write {section} = … as a key"));
        }
        let known = self.sections.iter().map(String::as_str);
        let remedy = match nearest(section, known.chain(["site"])) {
            Some("site") => "did you mean [[site]]?".to_owned(),
            Some(near) => format!("did you mean [{near}]?"),
            None => format!("remove it; known sections are {}", self.section_list()),
        };
        Fault::new("unknown section", remedy)
    }

    /// What `key` sets. `spell` writes a dotted key the way the user would have to.
    pub(super) fn resolve(&self, key: &str, spell: fn(&str) -> String) -> Result<Target, Fault> {
        if self.keys.contains_key(key) {
            return Ok(Target::Key);
        }
        if let Some(base) = key.strip_suffix("_file")
            && self.keys.get(base) == Some(&true)
        {
            return Ok(Target::FromFile(base.to_owned()));
        }
        Err(self.unknown_key(key, spell))
    }

    fn unknown_key(&self, key: &str, spell: fn(&str) -> String) -> Fault {
        if self.has_section(key) {
            return Fault::new("is a section, not a key", format!("write [{key}] and its keys below"));
        }
        if key == "site" || key.starts_with("site.") {
            return Fault::new(
                "sites cannot be set here",
                "write [[site]] in the file, or use `uptime-monitor sites add`",
            );
        }
        let remedy = match self.suggest(key) {
            Some(near) => format!("did you mean {}?", spell(&near)),
            None if key.contains('.') => self.list_keys(key, spell),
            None => self.unknown_section(key).remedy,
        };
        Fault::new("unknown key", remedy)
    }

    fn suggest(&self, key: &str) -> Option<String> {
        let Some((section, name)) = key.rsplit_once('.') else { return self.suggest_section_of(key) };
        let sections = self.sections.iter().map(String::as_str);
        let near_name = nearest(section, sections).and_then(|section| {
            let name = nearest(name, self.names_in(section))?;
            Some(format!("{section}.{name}"))
        });
        near_name.or_else(|| self.elsewhere(name))
    }

    /// A key outside any section: `tick`, or `database_url` with one separator too simple.
    fn suggest_section_of(&self, key: &str) -> Option<String> {
        let flat = self.keys.keys().find(|known| known.replace('.', "_") == key);
        flat.cloned().or_else(|| self.elsewhere(key))
    }

    fn elsewhere(&self, name: &str) -> Option<String> {
        self.keys.keys().find(|key| key.rsplit_once('.').is_some_and(|(_, known)| known == name)).cloned()
    }

    fn names_in<'a>(&'a self, section: &'a str) -> impl Iterator<Item = &'a str> {
        self.keys.keys().filter_map(move |key| {
            key.rsplit_once('.').filter(|(of, _)| *of == section).map(|(_, name)| name)
        })
    }

    fn list_keys(&self, key: &str, spell: fn(&str) -> String) -> String {
        let (section, _) = key.rsplit_once('.').unwrap_or_default();
        let keys: Vec<String> =
            self.names_in(section).map(|name| spell(&format!("{section}.{name}"))).collect();
        match self.has_section(section) {
            true => format!("remove it; known here are {}", keys.join(", ")),
            false => format!("remove it; known sections are {}", self.section_list()),
        }
    }

    fn section_list(&self) -> String {
        self.sections.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}
