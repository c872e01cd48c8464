//! `sites add`.

use std::io::Write as _;

use clap::Args;

use super::show::next_slot;
use super::{SiteFlags, defaults, flag, tags};
use crate::api::time;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::settings_flags::SettingsFlags;
use crate::cli::storage::Storage;
use crate::cli::{Answer, FINE};
use crate::config::{Loaded, Origin, Problem, RawSite, Setting, SiteFields};
use crate::sites::{InFile, SitesError, validated};
use crate::store::Start;

const EXAMPLES: &str = "\
Examples:
  uptime-monitor sites add https://example.com/
  uptime-monitor sites add https://example.com/ --name home --tag prod --tag eu
  uptime-monitor sites add https://shop.example/health --name shop --every 30s
  uptime-monitor sites add https://shop.example/ --schedule '*/5 8-18 * * mon-fri' --zone Europe/Berlin
  uptime-monitor sites add https://api.example/health --bearer-token-file token \\
      --expect-json '$.status=UP' --degraded-after 1s
  uptime-monitor sites add tls://mail.example:993 --name imap --expect-body '* OK'

Try the flags with `uptime-monitor check` first. What stands in a file is kept
with the site: a change of the file needs `uptime-monitor sites set`.";

/// Watch a site; it is checked at once, and then on schedule
///
/// Unless told otherwise it is called after its URL's host and path, and checked every minute, with checker.timeout
/// (10s) for a try, or less where the interval has no room for two tries, and with one more try before a down stands, unless
/// it may change something (POST, PUT, PATCH, DELETE). A site of that name that
/// has left the configuration file is taken over, with its id and its results.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct AddArgs {
    /// What to check: http://, https://, or tcp:// and tls:// with host and port
    url: String,

    /// What it is called, which must be unique
    #[arg(long)]
    name: Option<String>,

    #[command(flatten)]
    flags: SiteFlags,

    /// Add it without checking it; `sites resume` starts that
    #[arg(long)]
    disabled: bool,

    #[command(flatten)]
    settings: SettingsFlags,
}

impl AddArgs {
    fn raw(&self) -> (RawSite, Vec<Problem>) {
        let mut site = RawSite::new(Origin::Flag("sites add".into()));
        site.url = Some(Setting::from_flag("URL", self.url.as_str()));
        site.name = flag("--name", &self.name);
        self.flags.put_schedule_over(&mut site);
        site.timeout = flag("--timeout", &self.flags.timeout);
        site.retries = flag("--retries", &self.flags.retries);
        site.tags = (!self.flags.tags.is_empty()).then(|| tags(&self.flags.tags));
        site.enabled = self.disabled.then(|| Setting::from_flag("--disabled", "false"));
        let problems = self.settings.put_over(&mut site);
        (site, problems)
    }
}

pub(super) fn run(args: &AddArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    let (site, problems) = args.raw();
    let spec = validated(site, problems, &defaults(loaded).naming_from_url())?;
    // Before there is a database, which a refused command must not make.
    InFile::of(&loaded.sites).refuse(&spec.name)?;
    let name = spec.name.clone();
    let storage = Storage::created(&loaded.config.database)?;
    let site =
        storage.wait(storage.sites(loaded).add(spec, Start::AtOnce)).map_err(|error| taken(error, &name))?;

    let fields = SiteFields::from(&site.spec);
    let SiteFields { name, url, .. } = &fields;
    let how_often = if fields.every.is_some() { "every" } else { "at" };
    writeln!(output, "added {name} (id {}): {url} {how_often} {}", site.id, fields.rhythm())?;
    if site.spec.enabled {
        let next = next_slot(&site, &storage.clock).map_or_else(|| "-".to_owned(), time);
        writeln!(output, "first check at once, by a running `uptime-monitor run`; next slot {next}")?;
    } else {
        writeln!(output, "not checked until `uptime-monitor sites resume`")?;
    }
    Ok(FINE)
}

fn taken(error: SitesError, name: &str) -> CliError {
    if !error.is_taken() {
        return error.into();
    }
    CliError::Usage(format!(
        "there is a site {name:?} already; give this one another name with --name, or change that one with \
         `uptime-monitor sites set`"
    ))
}
