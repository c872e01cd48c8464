//! Reads sites from a file of their own. Good rows and bad ones are both handed over: the caller decides.

use std::path::Path;
use std::str::FromStr;

use super::collector::{Collector, Import};
use super::{SiteDefaults, json, rows};
use crate::config::document::{Document, Fields};
use crate::config::encoding::{refuse_utf16, utf8};
use crate::config::expand::Resolver;
use crate::config::lines::file_origin;
use crate::config::problem::{Problem, Problems};
use crate::config::value::Origin;

/// How sites are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A header `name,url,every,timeout,tags`, and also `retries`, `enabled` and `id`; tags separated by `;` or space. Columns
    /// may also be separated by semicolons or tabs, as spreadsheets do where the comma is the decimal sign.
    Csv,
    /// `[[site]]` tables.
    Toml,
    /// A list of objects, or `{"site": […]}`.
    Json,
}

impl Format {
    /// By the file's extension.
    pub fn of(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.parse().ok()
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "toml" => Ok(Self::Toml),
            "json" => Ok(Self::Json),
            _ => Err("choose from csv, toml, json".to_owned()),
        }
    }
}

/// Reads the sites in the file at `path`; `format` is guessed from its extension when `None`. `${NAME}` stands for a variable of
/// `env`, as in the configuration file, and `$${` for `${`.
///
/// # Errors
/// The file cannot be read, or is not in that format. A bad site is no error: it is in [`Import::rejected`].
pub fn read_sites(
    path: &Path,
    format: Option<Format>,
    defaults: &SiteDefaults,
    env: &[(String, String)],
) -> Result<Import, Problems> {
    let Some(format) = format.or_else(|| Format::of(path)) else {
        let remedy = "say --format csv, toml or json";
        return Err(Problem::new(file_origin(path), "has an extension that tells no format", remedy).into());
    };
    let bytes = std::fs::read(path).map_err(|error| {
        Problem::new(file_origin(path), format!("cannot be read: {error}"), "name a readable file")
    })?;
    parse_sites(&bytes, format, path, defaults, env)
}

/// [`read_sites`] from memory. `path` is how problems call the source.
///
/// # Errors
/// The text is not in that format.
pub fn parse_sites(
    bytes: &[u8],
    format: Format,
    path: &Path,
    defaults: &SiteDefaults,
    env: &[(String, String)],
) -> Result<Import, Problems> {
    let origin = file_origin(path);
    refuse_utf16(bytes, &origin)?;
    let mut collector = Collector::new(defaults, Resolver::for_file(path, env));
    match format {
        Format::Csv => rows::read(bytes, &origin, &mut collector)?,
        Format::Toml => {
            for fields in toml_sites(utf8(bytes, &origin)?, &origin)? {
                collector.add_fields(fields);
            }
        }
        Format::Json => json::read(utf8(bytes, &origin)?, &origin, &mut collector)?,
    }
    Ok(collector.finish())
}

fn toml_sites(text: &str, origin: &Origin) -> Result<Vec<Fields>, Problems> {
    let (document, mut problems) = Document::parse(text, origin);
    let remedy = "an import holds [[site]] tables only";
    let sections = document.sections.iter().map(|(name, at)| (format!("[{name}]"), at));
    let top_level = document.settings.iter().filter(|(key, _)| !key.contains('.'));
    let strangers = sections.chain(top_level.map(|(key, setting)| (key.clone(), &setting.origin)));
    problems.extend(strangers.map(|(key, at)| Problem::new(at.clone(), "is no site", remedy).about(key)));
    Problems::or(problems, document.sites.unwrap_or_default())
}
