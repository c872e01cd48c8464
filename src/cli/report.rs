//! `report`.

use clap::{Args, ValueEnum};

use super::output::Output;
use super::range::RangeArgs;
use super::storage::Storage;
use super::{Answer, FINE};
use crate::api::{Report, write_line};
use crate::config::Config;
use crate::report::{write_csv, write_table};

const EXAMPLES: &str = "\
Examples:
  uptime-monitor report
  uptime-monitor report --last 7d --site shop
  uptime-monitor report --from 2026-11-01T00:00:00Z --to 2026-12-01T00:00:00Z
  uptime-monitor report --last 30d --format csv > month.csv
  uptime-monitor report --format json | jq '.sites[] | select(.down > 0)'";

/// Show uptime and latency per site
///
/// `checks` counts the slots with a verdict (up, degraded, down), and uptime is the share of them that was not down.
/// Slots that nobody checked (missed) and those that failed through our own fault (unknown) are counted beside them.
/// Uptime is cut off, never rounded up: 100 % means that nothing was down. P50, P95 and P99 are the total times of
/// the checks that were up or degraded. Status and since are those of now, whatever the range. Sites that were removed are
/// left out. "Now" is what the database's clock reads.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    range: RangeArgs,

    /// Only this site
    #[arg(long, value_name = "NAME")]
    site: Option<String>,

    /// How it is written
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

pub(super) fn run(args: &ReportArgs, config: &Config, output: &mut Output) -> Answer {
    let asked = args.range.parse()?;
    let storage = Storage::existing(&config.database)?;
    let range = asked.at(storage.wait(storage.history.now())?, storage.clock.now())?;
    let only = match &args.site {
        Some(name) => Some(storage.wait(storage.catalog.site(name))?.id),
        None => None,
    };
    let sites = storage.wait(storage.history.statistics(range, only))?;
    match args.format {
        Format::Table => write_table(range, &sites, output.page(), output)?,
        Format::Json => write_line(&Report::of(range, &sites), output)?,
        Format::Csv => write_csv(&sites, output)?,
    }
    Ok(FINE)
}
