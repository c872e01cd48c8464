//! A value, as somebody wrote it, and where.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::quoted::{quoted, unquoted};

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The compiled-in reference, `config/uptime.toml`.
    Default,
    /// A line of a file, counted from 1; 0 is the file as a whole.
    File(Arc<Path>, u32),
    /// An environment variable.
    Env(Arc<str>),
    /// The command line; the text names flag or key.
    Flag(Arc<str>),
}

impl Origin {
    /// The same file at another line; other origins have no lines.
    pub(super) fn at(&self, line: u32) -> Self {
        match self {
            Self::File(path, _) => Self::File(Arc::clone(path), line),
            other => other.clone(),
        }
    }

    /// For "already in …": just the line where the file is known.
    pub(super) fn short(&self) -> String {
        match self {
            Self::File(_, line) => format!("line {line}"),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, 0) => write!(f, "{}", path.display()),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => write!(f, "command line ({name})"),
        }
    }
}

/// A value whose meaning its key decides.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// From where everything is text: the environment, a flag, a CSV cell, `${NAME}`, a `_file`.
    Text(String),
    /// From where values have types: TOML and JSON.
    Typed(toml::Value),
}

impl Value {
    /// What it is, for people.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Typed(toml::Value::String(_)) => "a string",
            Self::Typed(toml::Value::Integer(_)) => "a bare number",
            Self::Typed(toml::Value::Float(_)) => "a bare number with a fraction",
            Self::Typed(toml::Value::Boolean(_)) => "true or false",
            Self::Typed(toml::Value::Datetime(_)) => "a date",
            Self::Typed(toml::Value::Array(_)) => "a list",
            Self::Typed(toml::Value::Table(_)) => "a table",
        }
    }

    /// The text, if it is one.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Typed(toml::Value::String(text)) => Some(text),
            Self::Typed(_) => None,
        }
    }
}

/// What stands for JSON's `null`, which TOML has not: a NaN of its own, which no text is read as.
const NULL: u64 = 0x7ff8_0000_6e75_6c6c;

/// JSON's `null` among values of TOML.
pub fn null() -> toml::Value {
    f64::from_bits(NULL).into()
}

/// Whether it is [`null`].
pub(super) fn is_null(value: &toml::Value) -> bool {
    matches!(value, toml::Value::Float(number) if number.to_bits() == NULL)
}

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// The value, with `${NAME}` and `_file` resolved.
    pub value: Value,
    /// Where it was written.
    pub origin: Origin,
    /// What stands there when it is not the value itself but `${NAME}` or a file's path: problems show this, because
    /// the value may be a secret.
    pub(super) source: Option<String>,
    /// What each `${NAME}` in it stood for.
    pub(super) expanded: Vec<String>,
    /// Of the values inside a table.
    pub(super) inner: Inner,
}

/// What is known of the values inside a table, by their path in it, see [`inner_key`] and [`inner_item`].
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Inner {
    pub(super) lines: BTreeMap<String, u32>,
    /// Of a value that was replaced, what was written.
    pub(super) sources: BTreeMap<String, String>,
    /// Of a value that was replaced, what each `${NAME}` in it stood for.
    pub(super) expanded: BTreeMap<String, Vec<String>>,
}

/// The path of a key inside a table: `basic_auth.password`.
pub(super) fn inner_key(table: &str, key: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let key = if !key.is_empty() && key.chars().all(is_bare) { key.to_owned() } else { quoted(key) };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}

/// The path of an item of a list: `json[0]`.
pub(super) fn inner_item(list: &str, index: usize) -> String {
    format!("{list}[{index}]")
}

impl Setting {
    /// `value`, written at `origin`.
    pub fn new(value: Value, origin: Origin) -> Self {
        Self { value, origin, source: None, expanded: Vec::new(), inner: Inner::default() }
    }

    /// Text from a flag. `flag` is how it is called, for example `--every`.
    pub fn from_flag(flag: &str, text: impl Into<String>) -> Self {
        Self::new(Value::Text(text.into()), Origin::Flag(flag.into()))
    }

    /// Where the value at `path` inside of the table was written.
    pub(super) fn origin_of(&self, path: &str) -> Origin {
        self.inner.lines.get(path).map_or_else(|| self.origin.clone(), |line| self.origin.at(*line))
    }

    /// What was written, for a problem.
    pub(super) fn written(&self) -> String {
        if let Some(source) = &self.source {
            return source.clone();
        }
        match &self.value {
            Value::Text(text) | Value::Typed(toml::Value::String(text)) => quoted(text),
            Value::Typed(other) => unquoted(&shown(other)),
        }
    }
}

/// A value of TOML as text. No setting is a date, and showing one that is only half written (`1:`) makes the toml
/// crate panic.
pub(super) fn shown(value: &toml::Value) -> String {
    match value {
        value if holds(value, toml::Value::is_datetime) => "a date".to_owned(),
        // Where there is a null, the whole came from JSON, which writes it so.
        value if holds(value, is_null) => serde_json::to_string(value).unwrap_or_default(),
        value => value.to_string(),
    }
}

fn holds(value: &toml::Value, is_meant: fn(&toml::Value) -> bool) -> bool {
    match value {
        toml::Value::Array(values) => values.iter().any(|value| holds(value, is_meant)),
        toml::Value::Table(table) => table.values().any(|value| holds(value, is_meant)),
        value => is_meant(value),
    }
}
