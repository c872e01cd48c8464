//! `config check` and `config show`.

use std::io::{self, Write};

use crate::config::{Effective, Loaded, Problems, hide_password};

/// Says on `out` that the configuration is valid, or on `err` everything that is wrong. Returns the exit code: 0 or 2.
///
/// # Errors
/// A stream cannot be written to.
pub fn check(
    loaded: &Result<Loaded, Problems>,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<u8> {
    match loaded {
        Ok(loaded) => {
            let sites = match loaded.sites.len() {
                1 => "1 site".to_owned(),
                n => format!("{n} sites"),
            };
            writeln!(out, "configuration is valid: {sites} ({})", source(loaded))?;
            Ok(0)
        }
        Err(problems) => {
            writeln!(err, "{problems}")?;
            Ok(2)
        }
    }
}

/// Writes the values in force, without passwords, and where each came from: as TOML with comments, which can be loaded
/// again, or as JSON: `{"section": {"key": {"value": …, "from": "…"}}}`.
///
/// # Errors
/// `out` cannot be written to.
pub fn show(loaded: &Loaded, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json { show_json(loaded, out) } else { show_toml(loaded, out) }
}

fn source(loaded: &Loaded) -> String {
    match &loaded.file {
        Some(path) => path.display().to_string(),
        None => "no file, built-in defaults".to_owned(),
    }
}

fn show_toml(loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "# {}; {} sites in it", source(loaded), loaded.sites.len())?;
    let mut current = "";
    for entry in &loaded.origins {
        let (section, key) = split(entry);
        if section != current {
            writeln!(out, "\n[{section}]")?;
            current = section;
        }
        let line = format!("{key} = {}", without_passwords(&entry.value));
        writeln!(out, "{line:<50} # {}", entry.origin)?;
    }
    Ok(())
}

fn show_json(loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    let mut sections = serde_json::Map::new();
    for entry in &loaded.origins {
        let (section, key) = split(entry);
        let shown = serde_json::json!({ "value": without_passwords(&entry.value), "from": entry.origin.to_string() });
        let keys = sections.entry(section).or_insert_with(|| serde_json::json!({}));
        keys[key] = shown;
    }
    serde_json::to_writer_pretty(&mut *out, &sections)?;
    writeln!(out)
}

fn split(entry: &Effective) -> (&str, &str) {
    entry.key.split_once('.').unwrap_or(("", &entry.key))
}

fn without_passwords(value: &toml::Value) -> toml::Value {
    match value {
        toml::Value::String(text) => hide_password(text).into_owned().into(),
        other => other.clone(),
    }
}
