//! `${NAME}` inside a string, and values that stand in a file of their own.

use std::path::Path;

use super::problem::{Fault, quoted};
use super::value::{Setting, Value};

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

    /// The setting with its references replaced; with `from_file`, its value is a path and the file's content counts.
    pub(super) fn resolve(self, setting: Setting, from_file: bool) -> Result<Setting, Fault> {
        let setting = match self.env {
            Some(env) => expand_setting(setting, env)?,
            None => setting,
        };
        if from_file { self.read(&setting) } else { Ok(setting) }
    }

    fn read(self, setting: &Setting) -> Result<Setting, Fault> {
        let path = super::parse::text(&setting.value)?;
        let path = self.folder.map_or_else(|| Path::new(path).to_owned(), |folder| folder.join(path));
        let content = std::fs::read_to_string(&path).map_err(|error| {
            let remedy = format!("make {} a readable text file", quoted(&path.to_string_lossy()));
            Fault::new(format!("cannot read the file: {error}"), remedy)
        })?;
        let value = Value::Text(content.trim_end_matches(['\r', '\n']).to_owned());
        let source = format!("content of {}", quoted(&path.to_string_lossy()));
        Ok(Setting { value, origin: setting.origin.clone(), source: Some(source) })
    }
}

/// Replaces `${NAME}` in a string, and in the strings of a list.
fn expand_setting(mut setting: Setting, env: &[(String, String)]) -> Result<Setting, Fault> {
    let written = setting.written();
    match &mut setting.value {
        Value::Typed(toml::Value::String(text)) if text.contains("${") => {
            // What it stands for is text of any type: threads = "${THREADS}".
            setting.value = Value::Text(expand(text, env)?);
            setting.source = Some(written);
        }
        Value::Typed(toml::Value::Array(items)) => {
            for item in items {
                if let toml::Value::String(text) = item
                    && text.contains("${")
                {
                    *text = expand(text, env)?;
                    setting.source = Some(written.clone());
                }
            }
        }
        _ => {}
    }
    Ok(setting)
}

fn expand(text: &str, env: &[(String, String)]) -> Result<String, Fault> {
    let mut expanded = String::new();
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
        expanded += before;
        expanded += lookup(name, env)?;
        rest = after;
    }
    Ok(expanded + rest)
}

fn unclosed() -> Fault {
    Fault::new("has \"${\" without \"}\"", "write ${NAME}, or $${ for a literal ${")
}

fn lookup<'a>(name: &str, env: &'a [(String, String)]) -> Result<&'a str, Fault> {
    if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        let message = format!("${{{}}} names no environment variable", quoted(name).trim_matches('"'));
        return Err(Fault::new(message, "write ${NAME}, or $${ for a literal ${"));
    }
    env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).ok_or_else(|| {
        Fault::new(
            format!("environment variable {name} is not set"),
            format!("set {name}, or write the value itself"),
        )
    })
}
