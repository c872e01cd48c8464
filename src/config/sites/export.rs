//! Writes sites such that they read back identically.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;

use super::complete_table;
use super::import::Format;
use crate::config::expand::escaped;
use crate::config::format;
use crate::model::settings::{CheckSettings, JsonExpectation};
use crate::model::{Declared, SiteId, SiteSpec};
use crate::schedule::Cron;

/// A site with the keys and texts of the configuration file, for everything that writes sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteFields<'a> {
    /// As in [`SiteSpec`].
    pub name: &'a str,
    /// As in [`SiteSpec`], or as it may be shown.
    pub url: Cow<'a, str>,
    /// For example `1m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// A cron expression, where there is no `every`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<&'a str>,
    /// Its time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<&'a str>,
    /// For example `10s`.
    pub timeout: String,
    /// As in [`SiteSpec`].
    pub retries: u8,
    /// As in [`SiteSpec`].
    pub enabled: bool,
    /// As in [`SiteSpec`].
    pub tags: &'a [String],
    /// What is sent over TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<Cow<'a, str>>,
    /// `request`, `tls` and `expect`; only what is not at its default.
    #[serde(flatten)]
    pub settings: Option<Cow<'a, CheckSettings>>,
}

/// To be shown: without the secrets.
impl<'a> From<&'a SiteSpec> for SiteFields<'a> {
    fn from(spec: &'a SiteSpec) -> Self {
        let settings = spec.settings.as_deref().map(|settings| Cow::Owned(settings.without_secrets()));
        Self { url: spec.shown_url(), ..Self::complete(spec) }.with(settings)
    }
}

impl<'a> SiteFields<'a> {
    /// How often, for people: `1m`, or `*/5 * * * *`, with its zone where that is not UTC.
    pub fn rhythm(&self) -> String {
        match (self.schedule, self.zone) {
            (Some(schedule), Some(zone)) if zone != "UTC" => format!("{schedule} {zone}"),
            (Some(schedule), _) => schedule.to_owned(),
            (None, _) => self.every.clone().unwrap_or_default(),
        }
    }

    /// To be read back: with the secrets.
    fn complete(spec: &'a SiteSpec) -> Self {
        Self {
            name: &spec.name,
            url: Cow::Borrowed(&spec.url),
            every: spec.schedule.every_s().map(format::seconds),
            schedule: spec.schedule.cron().map(Cron::expression),
            zone: spec.schedule.cron().map(Cron::zone),
            timeout: format::duration(spec.timeout),
            retries: spec.retries,
            enabled: spec.enabled,
            tags: &spec.tags,
            send: None,
            settings: None,
        }
        .with(spec.settings.as_deref().map(Cow::Borrowed))
    }

    /// What is of one kind of check alone stands at the top of a site, and not in a table as in the database.
    fn with(self, settings: Option<Cow<'a, CheckSettings>>) -> Self {
        match settings {
            Some(settings) if settings.tcp.is_some() => {
                let mut settings = settings.into_owned();
                let send = settings.tcp.take().and_then(|tcp| tcp.send).map(Cow::Owned);
                Self { send, settings: Some(Cow::Owned(settings)), ..self }
            }
            settings => Self { settings, ..self },
        }
    }
}

/// A site as a row of CSV.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    url: Cow<'a, str>,
    every: Option<String>,
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

/// A site whose settings are in values of TOML already.
#[derive(Serialize)]
struct Plain<'a> {
    #[serde(flatten)]
    table: Table<'a>,
    #[serde(flatten)]
    settings: toml::Value,
}

#[derive(Serialize)]
struct Tables<T> {
    site: Vec<T>,
}

/// Why sites were not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// What is in no column must not get lost in silence.
    #[error(
        "CSV has no columns for send, request, tls and expect, which {sites} of these sites have, {first:?} among them; use \
             --format toml or json"
    )]
    NotInCsv {
        /// How many.
        sites: usize,
        /// The name of one.
        first: String,
    },

    /// The others are not written either.
    #[error("TOML has no way to write {what}, which is among the settings of {site:?}; use --format json")]
    NotInToml {
        /// Its name.
        site: String,
        /// What it is.
        what: String,
    },

    /// The output cannot be written to.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Writes `sites` to `out`, complete with what is otherwise default, and with their secrets.
///
/// # Errors
/// `out` cannot be written to, or the format cannot hold what the sites say.
pub fn write_sites(sites: &[Declared], format: Format, out: &mut impl Write) -> Result<(), ExportError> {
    if format == Format::Csv {
        refuse_settings(sites)?;
    }
    let sites: Vec<Declared> = sites.iter().map(without_references).collect();
    let tables = sites.iter().map(|site| Table { id: site.id, fields: SiteFields::complete(&site.spec) });
    match format {
        Format::Csv => {
            let has_schedules = sites.iter().any(|site| site.spec.schedule.cron().is_some());
            Ok(write_rows(tables, has_schedules, out)?)
        }
        Format::Toml => write_tables(tables, out),
        Format::Json => Ok(write_list(&tables.collect::<Vec<_>>(), out)?),
    }
}

fn refuse_settings(sites: &[Declared]) -> Result<(), ExportError> {
    let mut with_settings =
        sites.iter().filter(|site| site.spec.settings.as_ref().is_some_and(|settings| !settings.is_plain()));
    match with_settings.next() {
        None => Ok(()),
        Some(first) => {
            Err(ExportError::NotInCsv { sites: 1 + with_settings.count(), first: first.spec.name.clone() })
        }
    }
}

fn write_list(tables: &[Table<'_>], out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, tables)?;
    writeln!(out)
}

/// One by one, so that it is known which of them cannot be written.
fn write_tables<'a>(
    tables: impl ExactSizeIterator<Item = Table<'a>>,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    if tables.len() == 0 {
        writeln!(out, "site = []")?;
    }
    for (index, table) in tables.enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let name = table.fields.name;
        let text = in_toml(table).map_err(|what| ExportError::NotInToml { site: name.to_owned(), what })?;
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// The table, or what of it TOML does not have. Inside of what an answer is compared with, there may be JSON's `null`.
fn in_toml(mut table: Table<'_>) -> Result<String, String> {
    let settings = table.fields.settings.as_deref();
    let holds_null = settings.is_some_and(|it| it.expect.json.iter().any(JsonExpectation::holds_null));
    let plain = settings.map(complete_table).transpose()?;
    let written = match plain.filter(|_| holds_null) {
        Some(settings) => {
            table.fields.settings = None;
            toml::to_string(&Tables { site: vec![Plain { table, settings }] })
        }
        None => toml::to_string(&Tables { site: vec![table] }),
    };
    written.map_err(|error| error.to_string())
}

/// Whoever reads it back replaces `${NAME}`, so what happens to look like that is written as `$${NAME}`.
fn without_references(site: &Declared) -> Declared {
    let mut site = site.clone();
    let spec = &mut site.spec;
    for text in [&mut spec.name, &mut spec.url].into_iter().chain(&mut spec.tags) {
        *text = escaped(text);
    }
    if let Some(settings) = &mut spec.settings
        && settings.to_text().contains("${")
    {
        let mut json = serde_json::json!(settings);
        escape_inside(&mut json);
        // Only texts that may be anything hold such signs.
        if let Ok(escaped) = serde_json::from_value(json) {
            *settings = escaped;
        }
    }
    site
}

/// Keys stay: they refer to nothing when read back either.
fn escape_inside(json: &mut serde_json::Value) {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => *text = escaped(text),
        Json::Array(items) => items.iter_mut().for_each(escape_inside),
        Json::Object(members) => members.values_mut().for_each(escape_inside),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn write_rows<'a>(
    sites: impl Iterator<Item = Table<'a>>,
    has_schedules: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new().has_headers(false).from_writer(out);
    // By hand, so that an export without sites is a valid file too.
    let header = ["name", "url", "every", "timeout", "tags", "retries", "enabled", "id", "schedule", "zone"];
    // Where all sites have intervals, versions that know nothing else can read it, too.
    let columns = if has_schedules { header.len() } else { header.len() - 2 };
    rows.write_record(&header[..columns])?;
    for Table { id, fields } in sites {
        let SiteFields {
            name,
            url,
            every,
            schedule,
            zone,
            timeout,
            retries,
            enabled,
            tags,
            send: _,
            settings: _,
        } = fields;
        let tags = tags.join(";");
        let row = Row { name, url, every, timeout, tags, retries, enabled, id };
        if has_schedules { rows.serialize((row, schedule, zone))? } else { rows.serialize(row)? }
    }
    rows.flush()
}
