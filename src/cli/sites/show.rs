//! `sites show`.

use std::io::{self, Write};

use chrono::DateTime;
use clap::Args;

use super::failure::write_failure;
use crate::api::{Shown, time, write_line};
use crate::cli::output::Output;
use crate::cli::storage::Storage;
use crate::cli::{Answer, FINE};
use crate::clock::{Clock, Timestamp};
use crate::config::{Loaded, SiteFields, format_duration};
use crate::model::settings::CheckSettings;
use crate::model::{Origin, Site};

/// Show one site: its settings, its schedule, its status, and why it was last not up
#[derive(Debug, Args)]
#[command(after_help = "Example: uptime-monitor sites show shop --json")]
pub(super) struct ShowArgs {
    /// Which site
    name: String,

    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &ShowArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    let storage = Storage::existing(&loaded.config.database)?;
    let site = storage.wait(storage.sites(loaded).named(&args.name))?;
    let failure = storage.wait(storage.history.last_failure(site.known().id))?;
    if args.json {
        let last_failure = failure.as_ref().map(Into::into);
        write_line(&Shown { site: (&site).into(), last_failure }, output)?;
    } else {
        write_site(site.known(), &storage.clock, output)?;
        if let Some(why) = site.unreadable() {
            writeln!(output, "{:<10} {why}", "unreadable")?;
        }
        if let Some(failure) = &failure {
            write_failure(failure, output)?;
        }
    }
    Ok(FINE)
}

/// Everything about a site, a line each.
pub(super) fn write_site(site: &Site, clock: &Clock, out: &mut impl Write) -> io::Result<()> {
    let fields = SiteFields::from(&site.spec);
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let next = next_slot(site, clock).filter(|_| site.spec.enabled).map(time);
    let phase =
        site.rhythm.phase_s().map(|phase_s| format_duration(std::time::Duration::from_secs(phase_s.into())));
    let key_of_schedule = if fields.every.is_some() { "every" } else { "schedule" };
    let how_often = fields.rhythm();
    for (key, value) in [
        ("name", fields.name.to_owned()),
        ("id", site.id.to_string()),
        ("url", fields.url.into_owned()),
        (key_of_schedule, how_often),
        ("timeout", fields.timeout),
        ("retries", fields.retries.to_string()),
        ("enabled", fields.enabled.to_string()),
        ("tags", or_none((!fields.tags.is_empty()).then(|| fields.tags.join(", ")))),
        ("declared", declared(site.origin).to_owned()),
        ("revision", site.revision.to_string()),
        ("phase", or_none(phase)),
        ("next slot", or_none(next)),
        ("status", or_none(site.status().map(|status| status.to_string()))),
        ("since", or_none(site.since.map(time))),
        ("freshness", site.freshness.to_string()),
        ("last slot", or_none(site.last_updated.map(time))),
    ] {
        writeln!(out, "{key:<10} {value}")?;
    }
    if let Some(send) = fields.send {
        writeln!(out, "{:<10} {}", "send", serde_json::json!(send))?;
    }
    match fields.settings {
        Some(settings) => write_settings(&settings, out),
        None => Ok(()),
    }
}

/// A line for every key of a section: `request.method "POST"`.
fn write_settings(settings: &CheckSettings, out: &mut impl Write) -> io::Result<()> {
    let sections = serde_json::to_value(settings).map_err(io::Error::from)?;
    for (section, keys) in sections.as_object().into_iter().flatten() {
        for (key, value) in keys.as_object().into_iter().flatten() {
            writeln!(out, "{:<10} {value}", format!("{section}.{key}"))?;
        }
    }
    Ok(())
}

fn declared(origin: Origin) -> &'static str {
    match origin {
        Origin::File => "in the configuration file",
        Origin::Left => "in the configuration file, which it has left",
        Origin::Command => "by command",
    }
}

/// When it is due next.
pub(super) fn next_slot(site: &Site, clock: &Clock) -> Option<Timestamp> {
    let next = site.rhythm.next(clock.now().timestamp())?;
    DateTime::from_timestamp(next, 0)
}
