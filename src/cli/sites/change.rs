//! `sites set`.

use std::io::Write as _;
use std::time::Duration;

use clap::{ArgGroup, Args};

use super::super::output::Output;
use super::super::storage::Storage;
use super::super::{Answer, FINE};
use super::show::write_site;
use super::{SiteFlags, changeable, flag, invalid, tags};
use crate::config::{Origin, RawSite, SiteDefaults};
use crate::model::SiteSpec;

const EXAMPLES: &str = "\
Examples:
  uptime-monitor sites set shop --every 5m
  uptime-monitor sites set shop --url https://shop.example/ping --timeout 3s
  uptime-monitor sites set shop --no-tags";

/// Change a site; what is not named stays as it is
///
/// A timeout that is the default for the old interval becomes the default for the new one. --tag replaces all tags.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = "uptime-monitor sites set [OPTIONS] <NAME>")]
#[command(group = ArgGroup::new("change").required(true).multiple(true)
    .args(["url", "every", "timeout", "retries", "tags", "no_tags"]))]
pub(super) struct SetArgs {
    /// Which site
    name: String,

    /// What to request instead
    #[arg(long)]
    url: Option<String>,

    #[command(flatten)]
    flags: SiteFlags,

    /// Remove all tags
    #[arg(long, conflicts_with = "tags")]
    no_tags: bool,
}

impl SetArgs {
    fn raw(&self, spec: &SiteSpec, defaults: &SiteDefaults) -> RawSite {
        let mut site = RawSite::from_spec(spec, Origin::Flag("sites set".into()));
        if has_default_timeout(spec, defaults) {
            site.timeout = None;
        }
        site.url = flag("--url", &self.url).or(site.url);
        site.every = flag("--every", &self.flags.every).or(site.every);
        site.timeout = flag("--timeout", &self.flags.timeout).or(site.timeout);
        site.retries = flag("--retries", &self.flags.retries).or(site.retries);
        if self.no_tags || !self.flags.tags.is_empty() {
            site.tags = Some(tags(&self.flags.tags));
        }
        site
    }
}

fn has_default_timeout(spec: &SiteSpec, defaults: &SiteDefaults) -> bool {
    spec.timeout == defaults.timeout.min(Duration::from_secs(spec.every_s.into()) / 2)
}

pub(super) fn run(args: &SetArgs, defaults: &SiteDefaults, storage: &Storage, output: &mut Output) -> Answer {
    for site in changeable(std::slice::from_ref(&args.name), storage)? {
        let spec = args.raw(&site.spec, defaults).validate(defaults).map_err(invalid)?;
        if spec == site.spec {
            writeln!(output, "{} is like that already", site.spec.name)?;
            continue;
        }
        let changed = storage.wait(storage.catalog.change(spec))?;
        write_site(&changed, &storage.clock, output)?;
    }
    Ok(FINE)
}
