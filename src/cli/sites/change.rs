//! `sites set`.

use std::io::Write as _;
use std::time::Duration;

use clap::Args;
use toml::Value as Toml;

use super::show::write_site;
use super::{SiteFlags, defaults, flag, tags};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::settings_flags::{Reset, SettingsFlags, forget_all, forget_header};
use crate::cli::storage::Storage;
use crate::cli::{Answer, FINE};
use crate::config::{Loaded, Origin, Problem, RawSite, Setting, SiteDefaults, Value};
use crate::model::{SiteSpec, duration};
use crate::schedule::{Cron, Schedule};
use crate::sites::{InFile, SitesError, changed_part, validated};

const EXAMPLES: &str = "\
Examples:
  uptime-monitor sites set shop --every 5m
  uptime-monitor sites set shop --schedule '0 9 * * mon-fri' --zone Europe/Berlin
  uptime-monitor sites set shop --url https://shop.example/ping --timeout 3s
  uptime-monitor sites set shop --rename shop-eu
  uptime-monitor sites set shop --no-tags
  uptime-monitor sites set shop --expect-status 2xx,304 --expect-body 'in stock'
  uptime-monitor sites set shop --reset max-bytes --reset client-cert-file
  uptime-monitor sites set shop --reset expect --degraded-after 1s";

/// An interval that leaves room for every other time.
const LONGEST: &str = "31d";

/// A schedule that any zone may stand beside.
const DAILY: &str = "0 0 * * *";

/// Change a site; what is not named stays as it is
///
/// A timeout that is the default for the old interval becomes the default for the new one, and so do retries where the method
/// changes. A flag that may be given several times, such as --tag, --header or --expect-json, replaces all that were there; --reset
/// takes back what a flag has said. A site that is renamed keeps its id, its results and its slots. Somebody else's change at the
/// same moment is kept.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = "uptime-monitor sites set [OPTIONS] <NAME>")]
pub(super) struct SetArgs {
    /// Which site
    name: String,

    /// What to call it from now on
    #[arg(long, value_name = "NEW")]
    rename: Option<String>,

    /// What to check instead
    #[arg(long)]
    url: Option<String>,

    #[command(flatten)]
    flags: SiteFlags,

    /// Remove all tags
    #[arg(long, conflicts_with = "tags")]
    no_tags: bool,

    /// Forget what a flag has said, named without its dashes, or a whole group (request, tls, expect), and begin with the
    /// defaults again; may be given several times
    #[arg(long, value_name = "WHAT", value_parser = Reset::parser())]
    reset: Vec<Reset>,

    /// A header that is not to be sent any more; may be given several times
    #[arg(long, value_name = "NAME")]
    no_header: Vec<String>,

    /// Follow redirects again
    #[arg(long, conflicts_with = "no_follow")]
    follow: bool,

    /// Look at certificates again
    #[arg(long, conflicts_with = "accept_invalid")]
    no_accept_invalid: bool,

    #[command(flatten)]
    settings: SettingsFlags,
}

impl SetArgs {
    fn edited(&self, spec: &SiteSpec, defaults: &SiteDefaults) -> Result<SiteSpec, SitesError> {
        let mut site = changed_part(spec, Origin::Flag("sites set".into()), defaults);
        self.forget(&mut site);
        let problems = self.put_over(&mut site);
        validated(site, problems, defaults)
    }

    fn put_over(&self, site: &mut RawSite) -> Vec<Problem> {
        let put = |said: &mut Option<Setting>, flag: Option<Setting>| *said = flag.or(said.take());
        put(&mut site.name, flag("--rename", &self.rename));
        put(&mut site.url, flag("--url", &self.url));
        put(&mut site.timeout, flag("--timeout", &self.flags.timeout));
        put(&mut site.retries, flag("--retries", &self.flags.retries));
        self.flags.put_schedule_over(site);
        if self.no_tags || !self.flags.tags.is_empty() {
            site.tags = Some(tags(&self.flags.tags));
        }
        self.settings.put_over(site)
    }

    fn forget(&self, site: &mut RawSite) {
        let follow = self.follow.then_some(Reset::NO_FOLLOW);
        let certificates = self.no_accept_invalid.then_some(Reset::ACCEPT_INVALID);
        forget_all(self.reset.iter().copied().chain(follow).chain(certificates), site);
        for name in &self.no_header {
            forget_header(name, site);
        }
    }

    /// clap has groups of flags that need one of them, but none across the structs that flags are in.
    fn is_silent(&self) -> bool {
        let Self {
            name: _,
            rename,
            url,
            flags,
            no_tags,
            reset,
            no_header,
            follow,
            no_accept_invalid,
            settings,
        } = self;
        let SiteFlags { every, schedule, zone, timeout, retries, tags } = flags;
        let texts = [rename, url, every, schedule, zone, timeout, retries];
        texts.iter().all(|text| text.is_none())
            && tags.is_empty()
            && ![no_tags, follow, no_accept_invalid].into_iter().any(|flag| *flag)
            && reset.is_empty()
            && no_header.is_empty()
            && settings.given().is_empty()
    }

    /// The time between two slots that the flags ask for.
    fn shortest(&self) -> Duration {
        let SiteFlags { every, schedule, zone, .. } = &self.flags;
        let schedule = schedule.as_deref().or_else(|| zone.as_ref().map(|_| DAILY));
        let cron = schedule.and_then(|schedule| Cron::parse(schedule, None).ok());
        match cron {
            Some(cron) => Schedule::Cron(cron).shortest(),
            None => duration::parse(every.as_deref().unwrap_or(LONGEST)).unwrap_or_default(),
        }
    }

    /// Tells what is wrong with the flags whatever the site is, before the database is asked for it.
    fn refuse_wrong(&self, defaults: &SiteDefaults) -> Result<(), SitesError> {
        let mut site = RawSite::new(Origin::Flag("sites set".into()));
        let problems = self.put_over(&mut site);
        let say = |text: String| Some(Setting::from_flag("sites set", text));
        site.name = site.name.or_else(|| say(self.name.clone()));
        let url = match is_said(&site.expect, "tls", "forbidden") {
            _ if site.send.is_some() => "tls://site.example:1",
            true => "http://site.example/",
            false => "https://site.example/",
        };
        site.url = site.url.or_else(|| say(url.to_owned()));
        if site.zone.is_some() {
            site.schedule = site.schedule.or_else(|| say(DAILY.to_owned()));
        } else if site.schedule.is_none() {
            site.every = site.every.or_else(|| say(LONGEST.to_owned()));
        }
        // The longest that there can be, so that no other time is too long for it.
        if site.timeout.is_none() {
            let longest = self.shortest().checked_sub(Duration::from_millis(1));
            site.timeout = longest.and_then(|longest| say(duration::text(longest)));
        }
        without_half_an_identity(&mut site);
        validated(site, problems, defaults).map(drop)
    }
}

/// Of certificate and key the site may have the other one already.
fn without_half_an_identity(site: &mut RawSite) {
    const HALVES: [&str; 2] = ["client_cert_file", "client_key_file"];
    if let Some(Value::Typed(Toml::Table(tls))) = site.tls.as_mut().map(|tls| &mut tls.value)
        && !HALVES.iter().all(|key| tls.contains_key(*key))
    {
        tls.retain(|key, _| !HALVES.contains(&key));
    }
}

fn is_said(section: &Option<Setting>, key: &str, word: &str) -> bool {
    match section.as_ref().map(|setting| &setting.value) {
        Some(Value::Typed(Toml::Table(table))) => table.get(key).and_then(Toml::as_str) == Some(word),
        _ => false,
    }
}

pub(super) fn run(args: &SetArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    if args.is_silent() {
        let message =
            "say what to change, for example --every 5m; `uptime-monitor sites set --help` has every flag";
        return Err(CliError::Usage(message.to_owned()));
    }
    let defaults = defaults(loaded);
    args.refuse_wrong(&defaults)?;
    if let Some(new) = args.rename.as_deref() {
        InFile::of(&loaded.sites).refuse(new.trim())?;
    }
    let storage = Storage::existing(&loaded.config.database)?;
    let sites = storage.sites(loaded);
    for site in storage.wait(sites.changeable(std::slice::from_ref(&args.name)))? {
        let name = site.spec.name.clone();
        let changed = storage.wait(sites.change(site, |site| args.edited(&site.spec, &defaults)));
        match changed.map_err(|error| taken(error, args.rename.as_deref()))? {
            Some(changed) => write_site(&changed, &storage.clock, output)?,
            None => writeln!(output, "{name} is like that already")?,
        }
    }
    Ok(FINE)
}

fn taken(error: SitesError, new: Option<&str>) -> CliError {
    match new {
        Some(new) if error.is_taken() => CliError::Usage(format!(
            "there is a site {new:?} already; choose another name, or remove that one first"
        )),
        _ => error.into(),
    }
}
