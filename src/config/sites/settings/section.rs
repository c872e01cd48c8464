//! One of the tables of a site: where its values stand, which of them are secret, and where its problems go.

use std::cell::RefCell;

use super::super::super::problem::{Fault, Problem};
use super::super::super::secret::real;
use super::super::super::suggest::nearest;
use super::super::super::value::{Origin, Setting, Value, inner_key};
use super::super::RawSite;
use super::keys::Keys;
use crate::model::secret::SHORTEST_SECRET;

/// Whatever they hold is shown to nobody, also where it is wrong.
/// A user is one because somebody may write `user:password` there, certificates because a key may stand beside them.
const SECRETS: [&str; 9] = [
    "request.bearer_token",
    "request.basic_auth.username",
    "request.basic_auth.password",
    "request.body",
    "request.body_base64",
    "request.hide",
    "tls.ca",
    "tls.client_cert",
    "tls.client_key",
];

/// Headers that are known to hold no secret. Of any other, nobody can know.
fn is_harmless_header(name: &str) -> bool {
    const HARMLESS: [&str; 7] =
        ["cache-control", "content-type", "host", "pragma", "range", "referer", "user-agent"];
    let name = name.to_ascii_lowercase();
    name.starts_with("accept") || HARMLESS.contains(&name.as_str())
}

/// `request`, `tls` or `expect`, as one site says it.
#[derive(Clone, Copy)]
pub(super) struct Section<'a> {
    pub(super) site: &'a RawSite,
    /// `request`, `tls` or `expect`.
    pub(super) name: &'static str,
    pub(super) setting: &'a Setting,
    pub(super) problems: &'a RefCell<Vec<Problem>>,
}

impl<'a> Section<'a> {
    /// Its keys, of which all but `known` are problems.
    pub(super) fn open(self, known: &[&str]) -> Option<Keys<'a>> {
        match &self.setting.value {
            Value::Typed(value) => self.table("", value, known),
            Value::Text(_) => self.no_table("", &self.setting.value),
        }
    }

    pub(super) fn table(self, path: &str, value: &'a toml::Value, known: &[&str]) -> Option<Keys<'a>> {
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
        Some(Keys::new(self, path.to_owned(), table))
    }

    /// Without the value, for the same reason.
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
        let full = self.full(path);
        let full = full.split('[').next().unwrap_or(&full);
        let header = full.strip_prefix("request.headers.");
        header.map_or_else(|| SECRETS.contains(&full), |name| !is_harmless_header(name))
    }

    fn full(self, path: &str) -> String {
        if path.is_empty() { self.name.to_owned() } else { format!("{}.{path}", self.name) }
    }
}

/// What is wrong with a value that nobody is to see: without what a parser says, and without an example made of it.
fn discreet(fault: Fault, setting: &Setting) -> Fault {
    let said = fault.message.split(": ").next().unwrap_or_default().to_owned();
    let quotes = setting.value.as_str().is_some_and(|secret| fault.remedy.contains(secret));
    Fault::new(said, if quotes { "correct what it stands for".to_owned() } else { fault.remedy })
}
