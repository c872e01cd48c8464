//! `sites list`.

use std::io::{self, Write};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use crate::api::{self, time, write_line};
use crate::cli::output::Output;
use crate::cli::storage::Storage;
use crate::cli::{Answer, FINE};
use crate::config::SiteFields;
use crate::model::{Origin, Site, Status};
use crate::report::{Cell, Column, Layout, Page, count, status_cell};
use crate::store::Listed;

const EXAMPLES: &str = "\
Examples:
  uptime-monitor sites list
  uptime-monitor sites list --status down
  uptime-monitor sites list --json --tag prod | jq -r '.[].url'";

const COLUMNS: [Column; 7] = [
    Column::number("ID").expendable(3),
    Column::text("NAME").cut(),
    Column::text("STATUS"),
    Column::text("SINCE").expendable(1),
    Column::text("EVERY"),
    Column::text("TAGS").cut().expendable(4),
    Column::text("URL").cut().expendable(2),
];

/// List the sites by name, each with its status and since when
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ListArgs {
    /// Write one JSON array, with an object per site
    #[arg(long)]
    json: bool,

    /// Only sites with this tag; given several times: with all of them
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// Only sites whose status is this; missed and unknown: whose newest slot was
    #[arg(long, value_parser = status_parser())]
    status: Option<Status>,
}

fn status_parser() -> impl clap::builder::TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.iter().map(|status| status.as_str()))
        .try_map(|word| word.parse::<Status>())
}

impl ListArgs {
    fn wants(&self, site: &Listed) -> bool {
        let site = site.known();
        let statuses = [site.status(), site.freshness.fault()];
        let has_status = self.status.is_none_or(|status| statuses.contains(&Some(status)));
        has_status && self.tags.iter().all(|tag| site.spec.tags.contains(tag))
    }
}

pub(super) fn run(args: &ListArgs, storage: &Storage, output: &mut Output) -> Answer {
    let mut sites = storage.wait(storage.catalog.sites())?;
    let all = sites.len();
    sites.retain(|site| args.wants(site));
    if args.json {
        write_line(&sites.iter().map(api::Site::from).collect::<Vec<_>>(), output)?;
    } else {
        write_table(&sites, all, output.page(), output)?;
    }
    Ok(FINE)
}

fn write_table(sites: &[Listed], all: usize, page: Page, out: &mut impl Write) -> io::Result<()> {
    match (sites.len(), all) {
        (0, 0) => return writeln!(out, "no sites yet; `uptime-monitor sites add URL` adds one"),
        (0, all) => return writeln!(out, "none of {} is like that", count(all as u64, "site")),
        _ => {}
    }
    let mut table = Layout::new(&COLUMNS);
    for site in sites {
        table.row(row(site.known()));
    }
    table.write(page, out)?;
    for site in sites {
        if let Some(why) = site.unreadable() {
            writeln!(out, "this version cannot read all of {:?}: {why}", site.known().spec.name)?;
        }
    }
    Ok(())
}

fn row(site: &Site) -> Vec<Cell> {
    let fields = SiteFields::from(&site.spec);
    let rhythm = fields.rhythm();
    let SiteFields { name, url, tags, enabled, .. } = fields;
    let text = |text: String| if text.is_empty() { Cell::none() } else { Cell::new(text) };
    vec![
        Cell::new(site.id),
        Cell::new(name),
        // What it was when it was last checked says little about a site that no longer is.
        match site.origin {
            Origin::Left => Cell::new("left file"),
            _ if enabled => status_cell(site),
            _ => Cell::new("paused"),
        },
        text(site.since.map(time).filter(|_| enabled).unwrap_or_default()),
        Cell::new(rhythm),
        text(tags.join(",")),
        Cell::new(url),
    ]
}
