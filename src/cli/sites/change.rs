//! `sites set`.

use std::io::Write as _;
use std::time::Duration;

use clap::Args;

use super::super::error::CliError;
use super::super::output::Output;
use super::super::settings_flags::{SettingsFlags, validated};
use super::super::storage::Storage;
use super::super::{Answer, FINE};
use super::show::write_site;
use super::{SiteFlags, changeable, defaults, flag, tags};
use crate::config::{Loaded, Origin, Problem, RawSite, SiteDefaults};
use crate::model::SiteSpec;

const EXAMPLES: &str = "\
Examples:
  uptime-monitor sites set shop --every 5m
  uptime-monitor sites set shop --url https://shop.example/ping --timeout 3s
  uptime-monitor sites set shop --no-tags
  uptime-monitor sites set shop --expect-status 2xx,304 --expect-body 'in stock'
  uptime-monitor sites set shop --reset expect --degraded-after 1s";

/// Change a site; what is not named stays as it is
///
/// A timeout that is the default for the old interval becomes the default for the new one, and so do retries where the method
/// changes. A flag that may be given several
/// times, such as --tag, --header or --expect-json, replaces all that were there.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = "uptime-monitor sites set [OPTIONS] <NAME>")]
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

    /// Forget these settings, and begin with the defaults again; may be given several times
    #[arg(long, value_name = "GROUP", value_parser = ["request", "tls", "expect"])]
    reset: Vec<String>,

    #[command(flatten)]
    settings: SettingsFlags,
}

impl SetArgs {
    fn raw(&self, spec: &SiteSpec, defaults: &SiteDefaults) -> (RawSite, Vec<Problem>) {
        let mut site = RawSite::from_spec(spec, Origin::Flag("sites set".into()));
        if has_default_timeout(spec, defaults) {
            site.timeout = None;
        }
        if has_default_retries(spec) {
            site.retries = None;
        }
        site.url = flag("--url", &self.url).or(site.url);
        site.every = flag("--every", &self.flags.every).or(site.every);
        site.timeout = flag("--timeout", &self.flags.timeout).or(site.timeout);
        site.retries = flag("--retries", &self.flags.retries).or(site.retries);
        if self.no_tags || !self.flags.tags.is_empty() {
            site.tags = Some(tags(&self.flags.tags));
        }
        self.forget(&mut site);
        let problems = self.settings.put_over(&mut site);
        (site, problems)
    }

    /// clap has groups of flags that need one of them, but none across the structs that flags are in.
    fn is_silent(&self) -> bool {
        let Self { name: _, url, flags, no_tags, reset, settings } = self;
        let SiteFlags { every, timeout, retries, tags } = flags;
        let texts = [url, every, timeout, retries];
        texts.iter().all(|text| text.is_none())
            && tags.is_empty()
            && !no_tags
            && reset.is_empty()
            && settings.given().is_empty()
    }

    fn forget(&self, site: &mut RawSite) {
        for group in &self.reset {
            match group.as_str() {
                "request" => site.request = None,
                "tls" => site.tls = None,
                _ => site.expect = None,
            }
        }
    }
}

fn has_default_timeout(spec: &SiteSpec, defaults: &SiteDefaults) -> bool {
    defaults.is_timeout_for(Duration::from_secs(spec.every_s.into()), spec.timeout)
}

fn has_default_retries(spec: &SiteSpec) -> bool {
    let method = spec.settings.as_ref().map_or("GET", |settings| &settings.request.method);
    spec.retries == SiteDefaults::retries_for(method)
}

pub(super) fn run(args: &SetArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    if args.is_silent() {
        let message =
            "say what to change, for example --every 5m; `uptime-monitor sites set --help` has every flag";
        return Err(CliError::Usage(message.to_owned()));
    }
    let (defaults, storage) = (defaults(loaded), Storage::existing(&loaded.config.database)?);
    for site in changeable(std::slice::from_ref(&args.name), &storage)? {
        let (raw, problems) = args.raw(&site.spec, &defaults);
        let spec = validated(raw, problems, &defaults)?;
        if spec == site.spec {
            writeln!(output, "{} is like that already", site.spec.name)?;
            continue;
        }
        let changed = storage.wait(storage.catalog.change(spec))?;
        write_site(&changed, &storage.clock, output)?;
    }
    Ok(FINE)
}
