//! One of the tables of a site: where its values stand, which of them are secret, and where its problems go.

use std::cell::RefCell;

use crate::config::fault::Fault;

use crate::config::problem::Problem;
use crate::config::secret::real;
use crate::config::sites::{RawSite, table};
use crate::config::value::{Origin, Setting, Value};
use crate::model::secret::SHORTEST_SECRET;

/// `request`, `tls` or `expect`, as one site says it.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) site: &'a RawSite,
    /// `request`, `tls` or `expect`.
    pub(super) name: &'static str,
    pub(super) setting: &'a Setting,
    pub(super) problems: &'a RefCell<Vec<Problem>>,
}

impl Section<'_> {
    /// Without the value, for a misspelt key may hold a secret.
    pub(super) fn no_table<T>(self, path: &str, value: &Value) -> Option<T> {
        let remedy = format!("write {} = {{ … }}", self.full(path));
        self.complain(path, &format!("is {}, not a table", value.kind()), &remedy);
        None
    }

    pub(super) fn complain(self, path: &str, message: &str, remedy: &str) {
        let problem = Problem::new(self.setting.origin_of(path), message, remedy)
            .about(self.site.key(&self.full(path)));
        self.problems.borrow_mut().push(problem);
    }

    /// Reads one value, which lies at `path`.
    pub(super) fn read<T>(
        self,
        path: &str,
        setting: &Setting,
        parse: impl FnOnce(&Value) -> Result<T, Fault>,
    ) -> Option<T> {
        let refuse = |fault| {
            let fault = if setting.source.is_some() { discreet(fault, setting) } else { fault };
            self.refuse(path, setting, fault);
        };
        // What a file holds is as secret as what stands there itself.
        let is_secret = self.is_secret(path.strip_suffix("_file").unwrap_or(path));
        let secret = setting.value.as_str().filter(|_| is_secret);
        let parsed = secret.map_or(Ok(()), real).and_then(|()| parse(&setting.value));
        parsed.map_err(refuse).ok()
    }

    pub(super) fn refuse(self, path: &str, setting: &Setting, fault: Fault) {
        let problem = Problem::with(self.site.key(&self.full(path)), setting, fault);
        self.problems.borrow_mut().push(problem);
    }

    /// The value at `path` as a setting of its own.
    pub(super) fn leaf(self, path: &str, value: &toml::Value) -> Setting {
        let resolved = self.setting.inner.sources.get(path);
        let hidden = self.is_secret(path).then(|| "\"***\"".to_owned());
        let is_untyped = resolved.is_some() || matches!(self.setting.origin, Origin::Flag(_));
        let value = match value {
            toml::Value::String(text) if is_untyped => Value::Text(text.clone()),
            other => Value::Typed(other.clone()),
        };
        Setting { source: resolved.cloned().or(hidden), ..Setting::new(value, self.setting.origin_of(path)) }
    }

    /// What `${NAME}` stood for in headers that may hold a secret, where it is long enough to hide.
    pub(super) fn expanded_in_secret_headers(self) -> Vec<String> {
        let expanded = self.setting.inner.expanded.iter();
        let in_headers = expanded.filter(|(path, _)| path.starts_with("headers.") && self.is_secret(path));
        in_headers
            .flat_map(|(_, texts)| texts)
            .filter(|text| text.len() >= SHORTEST_SECRET)
            .cloned()
            .collect()
    }

    fn is_secret(self, path: &str) -> bool {
        table::is_secret(&self.full(path))
    }

    pub(super) fn full(self, path: &str) -> String {
        if path.is_empty() { self.name.to_owned() } else { format!("{}.{path}", self.name) }
    }
}

/// What is wrong with a value that nobody is to see: without what a parser says, and without an example made of it.
fn discreet(fault: Fault, setting: &Setting) -> Fault {
    let said = fault.message.split(": ").next().unwrap_or_default().to_owned();
    let quotes = setting.value.as_str().is_some_and(|secret| fault.remedy.contains(secret));
    Fault::new(said, if quotes { "correct what it stands for".to_owned() } else { fault.remedy })
}
