//! Writes sites such that they read back identically.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::super::format;
use super::import::Format;
use crate::model::{Declared, SiteId, SiteSpec};

/// A site with the keys and texts of the configuration file, for everything that writes sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteFields<'a> {
    /// As in [`SiteSpec`].
    pub name: &'a str,
    /// As in [`SiteSpec`].
    pub url: &'a str,
    /// For example `1m`.
    pub every: String,
    /// For example `10s`.
    pub timeout: String,
    /// As in [`SiteSpec`].
    pub retries: u8,
    /// As in [`SiteSpec`].
    pub enabled: bool,
    /// As in [`SiteSpec`].
    pub tags: &'a [String],
}

impl<'a> From<&'a SiteSpec> for SiteFields<'a> {
    fn from(spec: &'a SiteSpec) -> Self {
        Self {
            name: &spec.name,
            url: &spec.url,
            every: format::duration(Duration::from_secs(spec.every_s.into())),
            timeout: format::duration(spec.timeout),
            retries: spec.retries,
            enabled: spec.enabled,
            tags: &spec.tags,
        }
    }
}

/// A site as a row of CSV.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    url: &'a str,
    every: String,
    timeout: String,
    tags: String,
    retries: u8,
    enabled: bool,
    id: Option<SiteId>,
}

/// A site as a table.
#[derive(Serialize)]
struct Table<'a> {
    #[serde(flatten)]
    fields: SiteFields<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<SiteId>,
}

#[derive(Serialize)]
struct Tables<'a> {
    site: Vec<Table<'a>>,
}

/// Writes `sites` to `out`, complete with what is otherwise default.
///
/// # Errors
/// `out` cannot be written to.
pub fn write_sites(sites: &[Declared], format: Format, out: &mut impl Write) -> io::Result<()> {
    let fields = || sites.iter().map(|site| Table { id: site.id, fields: SiteFields::from(&site.spec) });
    match format {
        Format::Csv => write_rows(fields(), out),
        Format::Toml => {
            let text = toml::to_string(&Tables { site: fields().collect() }).map_err(io::Error::other)?;
            out.write_all(text.as_bytes())
        }
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &fields().collect::<Vec<_>>())?;
            writeln!(out)
        }
    }
}

fn write_rows<'a>(sites: impl Iterator<Item = Table<'a>>, out: &mut impl Write) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    // By hand, so that an export without sites is a valid file too.
    rows.write_record(["name", "url", "every", "timeout", "tags", "retries", "enabled", "id"])?;
    for Table { id, fields } in sites {
        let SiteFields { name, url, every, timeout, retries, enabled, tags } = fields;
        rows.serialize(Row { name, url, every, timeout, tags: tags.join(";"), retries, enabled, id })?;
    }
    rows.flush()
}
