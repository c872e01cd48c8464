//! `${NAME}` inside a string, and values that stand in a file of their own.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::fault::Fault;

use super::quoted::quoted;
use super::value::{Origin, Setting, Value, inner_item, inner_key};

/// Resolves what a layer refers to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resolver<'a> {
    /// For `${NAME}`; `None` where a layer is taken literally: shells have their own `$`, and a password may hold one.
    env: Option<&'a [(String, String)]>,
    /// From where relative paths are seen; `None` for the working directory.
    folder: Option<&'a Path>,
}

impl<'a> Resolver<'a> {
    /// For values that mean what they say.
    pub(super) fn literal() -> Self {
        Self { env: None, folder: None }
    }

    /// For the values in the file at `path`.
    pub(super) fn for_file(path: &'a Path, env: &'a [(String, String)]) -> Self {
        Self { env: Some(env), folder: path.parent() }
    }

    /// For a value that means what it says, or names a file: that is seen from the file in which `origin` lies.
    pub(super) fn beside(origin: &'a Origin) -> Self {
        let folder = if let Origin::File(path, _) = origin { path.parent() } else { None };
        Self { env: None, folder }
    }

    /// The setting with the references in its table replaced, and what is wrong with the others, by their path in it.
    pub(super) fn resolve_inner(self, mut setting: Setting) -> (Setting, Vec<(String, Fault)>) {
        let mut faults = Vec::new();
        if let (Some(env), Value::Typed(value @ toml::Value::Table(_))) = (self.env, &mut setting.value) {
            let mut replace = |path: &str, text: &mut String| match expand(text, env) {
                Ok((replaced, expanded)) => {
                    let written = quoted(&std::mem::replace(text, replaced));
                    setting.inner.sources.insert(path.to_owned(), written);
                    setting.inner.expanded.insert(path.to_owned(), expanded);
                }
                Err(fault) => faults.push((path.to_owned(), fault)),
            };
            each_reference("", value, &mut replace);
        }
        (setting, faults)
    }

    /// The setting with its references replaced; with `from_file`, its value is a path and the file's content counts.
    pub(super) fn resolve(self, setting: Setting, from_file: bool) -> Result<Setting, Fault> {
        let setting = match self.env {
            Some(env) => expand_setting(setting, env)?,
            None => setting,
        };
        if from_file { self.read(&setting) } else { Ok(setting) }
    }

    /// The text of the file, without the one line break that editors put at its end.
    fn read(self, setting: &Setting) -> Result<Setting, Fault> {
        let path = self.path(setting)?;
        let content = std::fs::read_to_string(&path).map_err(|error| {
            let remedy = format!("make {} a readable text file", quoted(&path.to_string_lossy()));
            Fault::new(format!("cannot read the file: {error}"), remedy)
        })?;
        let line =
            content.strip_suffix('\n').map_or(&*content, |line| line.strip_suffix('\r').unwrap_or(line));
        let source = format!("content of {}", quoted(&path.to_string_lossy()));
        Ok(Setting {
            source: Some(source),
            ..Setting::new(Value::Text(line.to_owned()), setting.origin.clone())
        })
    }

    /// Every byte of the file that `setting` names, up to `most` and one more.
    pub(super) fn read_bytes(self, setting: &Setting, most: usize) -> Result<Vec<u8>, Fault> {
        let path = self.path(setting)?;
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes));
        read.map_err(|error| {
            let remedy = format!("make {} a readable file", quoted(&path.to_string_lossy()));
            Fault::new(format!("cannot read the file: {error}"), remedy)
        })?;
        Ok(bytes)
    }

    fn path(self, setting: &Setting) -> Result<PathBuf, Fault> {
        let path = super::parse::text(&setting.value)?;
        Ok(self.folder.map_or_else(|| PathBuf::from(path), |folder| folder.join(path)))
    }
}

/// Replaces `${NAME}` in a string, and in the strings of a list.
fn expand_setting(mut setting: Setting, env: &[(String, String)]) -> Result<Setting, Fault> {
    let written = setting.written();
    match &mut setting.value {
        Value::Typed(toml::Value::String(text)) | Value::Text(text) if text.contains("${") => {
            // What it stands for is text of any type: threads = "${THREADS}".
            let (text, expanded) = expand(text, env)?;
            (setting.value, setting.expanded) = (Value::Text(text), expanded);
            setting.source = Some(written);
        }
        Value::Typed(toml::Value::Array(items)) => {
            for item in items {
                if let toml::Value::String(text) = item
                    && text.contains("${")
                {
                    (*text, _) = expand(text, env)?;
                    setting.source = Some(written.clone());
                }
            }
        }
        _ => {}
    }
    Ok(setting)
}

/// Hands over every string inside of `value` that refers to something, with its path.
fn each_reference(path: &str, value: &mut toml::Value, replace: &mut impl FnMut(&str, &mut String)) {
    match value {
        toml::Value::String(text) if text.contains("${") => replace(path, text),
        toml::Value::Table(table) => {
            table.iter_mut().for_each(|(key, value)| each_reference(&inner_key(path, key), value, replace))
        }
        toml::Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .for_each(|(at, item)| each_reference(&inner_item(path, at), item, replace)),
        _ => {}
    }
}

/// The text, and what its references stood for.
fn expand(text: &str, env: &[(String, String)]) -> Result<(String, Vec<String>), Fault> {
    let (mut expanded, mut values) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, reference) = rest.split_at(at);
        if let Some(literal) = before.strip_suffix('$') {
            expanded += literal;
            expanded += "${";
            rest = &reference[2..];
            continue;
        }
        let (name, after) = reference[2..].split_once('}').ok_or_else(unclosed)?;
        let value = lookup(name, env)?;
        expanded += before;
        expanded += value;
        values.push(value.to_owned());
        rest = after;
    }
    Ok((expanded + rest, values))
}

/// Such that [`expand`] makes it `text` again.
pub(super) fn escaped(text: &str) -> String {
    text.replace("${", "$${")
}

fn unclosed() -> Fault {
    Fault::new("has \"${\" without \"}\"", "write ${NAME}, or $${ for a literal ${")
}

fn lookup<'a>(name: &str, env: &'a [(String, String)]) -> Result<&'a str, Fault> {
    if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        // What stands there may be the middle of a password.
        let remedy = "write ${NAME} with letters, digits and _, or $${ for a literal ${";
        return Err(Fault::new("has a ${…} that names no environment variable", remedy));
    }
    env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).ok_or_else(|| {
        Fault::new(
            format!("environment variable {name} is not set"),
            format!("set {name}, or write the value itself"),
        )
    })
}
