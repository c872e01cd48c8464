//! `check`: what is checked, and how to tell. The check itself is in [`check`].

use clap::{ArgGroup, Args};

use super::error::CliError;
use super::output::Output;
use super::settings_flags::SettingsFlags;
use super::storage::Storage;
use super::{Answer, check};
use crate::app::settings;
use crate::config::{Loaded, Origin, RawSite, Setting, SiteDefaults};
use crate::model::{SiteId, SiteSpec};
use crate::probe::ProbeSettings;
use crate::sites::validated;
use crate::store::{StoreError, nearest_name, sqlite};

const EXAMPLES: &str = "\
Examples:
  uptime-monitor check https://example.com/
  uptime-monitor check https://shop.example/health --timeout 3s --retries 0 --json
  uptime-monitor check --site shop
  uptime-monitor check https://api.example/orders --method POST \\
      -H 'Content-Type: application/json' --body-file order.json \\
      --bearer-token-file token --expect-status 201
  uptime-monitor check https://shop.example/health --degraded-after 1s \\
      --expect-header 'Content-Type*=json' --expect-json '$.status=UP'
  uptime-monitor check tcp://redis.example:6379 --send 'PING\\r\\n' --expect-body +PONG

Exit code 0: up or degraded; 1: down; 3: we could not tell.";

/// Check a site once, now, and show where the time went
///
/// Nothing is stored. With --site the site is checked as it is configured, also when it is paused: one in the
/// configuration file needs no database, and waits for none.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("what").required(true).args(["url", "site"]))]
pub(super) struct CheckArgs {
    /// What to check: http://, https://, or tcp:// and tls:// with host and port
    url: Option<String>,

    /// A configured site instead
    #[arg(long, value_name = "NAME")]
    site: Option<String>,

    /// Time for one try: all redirects, headers and body [default: checker.timeout]
    #[arg(long, value_name = "DURATION", conflicts_with = "site")]
    timeout: Option<String>,

    /// Further tries before a down stands, 0 to 10 [default: 1, or 0 for POST, PUT, PATCH and DELETE]
    #[arg(long, value_name = "N", conflicts_with = "site")]
    retries: Option<String>,

    /// Write the result as one line of JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    settings: SettingsFlags,
}

pub(super) fn run(args: &CheckArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    let config = &loaded.config;
    let (spec, site_id) = match &args.site {
        Some(name) => {
            refuse_settings(args)?;
            configured(name, loaded)?
        }
        None => (described(args, loaded)?, None),
    };
    let settings = ProbeSettings::load(&settings::probe_config(&config.checker))?;
    let request = check::Request {
        target: spec.target(),
        site_id,
        worker: settings::worker_name(&config.worker.name),
        region: config.worker.region,
        json: args.json,
        page: output.page(),
    };
    Ok(check::run(&settings, &request, output)?)
}

/// clap would name every flag that there is, and not those that were given.
fn refuse_settings(args: &CheckArgs) -> Result<(), CliError> {
    let given = args.settings.given();
    if given.is_empty() {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "--site checks a site as it is configured, so {} cannot be used with it; give a URL instead, or change the site \
         with `uptime-monitor sites set`",
        given.join(", ")
    )))
}

/// A URL goes through the validation of sites. Without a next slot, the longest interval leaves the timeout free.
fn described(args: &CheckArgs, loaded: &Loaded) -> Result<SiteSpec, CliError> {
    let flag = |name: &str, text: &Option<String>| text.as_deref().map(|text| Setting::from_flag(name, text));
    let mut site = RawSite::new(Origin::Flag("check".into()));
    site.url = flag("URL", &args.url);
    site.timeout = flag("--timeout", &args.timeout);
    site.retries = flag("--retries", &args.retries);
    site.every = Some(Setting::from_flag("check", "31d"));
    let defaults = SiteDefaults::of(&loaded.config.checker).naming_from_url();
    let problems = args.settings.put_over(&mut site);
    Ok(validated(site, problems, &defaults)?)
}

/// As the file declares it, which is what the next start will make of it, or else as the database has it. A site of the file waits
/// for no database, and makes none.
fn configured(name: &str, loaded: &Loaded) -> Result<(SiteSpec, Option<SiteId>), CliError> {
    let database = &loaded.config.database;
    if let Some(spec) = loaded.sites.iter().find(|site| site.name == name) {
        let id = database.sqlite_path().and_then(|path| sqlite::glance(path, name));
        return Ok((spec.clone(), id));
    }
    let storage = match Storage::existing(database) {
        Err(CliError::NoDatabase { path, .. }) => {
            return Err(nowhere(name, &format!("there is no database {path} yet"), None, loaded));
        }
        opened => opened?,
    };
    match storage.wait(storage.catalog.site(name)) {
        Err(StoreError::UnknownSite { nearest, .. }) => {
            Err(nowhere(name, "the database has none of that name", nearest, loaded))
        }
        site => site.map(|site| (site.spec, Some(site.id))).map_err(CliError::from),
    }
}

/// Names both places, for either may be the one that was meant.
fn nowhere(name: &str, database: &str, nearest: Option<String>, loaded: &Loaded) -> CliError {
    let file = match &loaded.file {
        Some(file) => format!("{} declares none of that name", file.display()),
        None => "no configuration file was found".to_owned(),
    };
    let declared = loaded.sites.iter().map(|site| site.name.clone());
    let remedy = match nearest_name(name, declared.chain(nearest)) {
        Some(near) => format!("did you mean {near:?}?"),
        None => "`uptime-monitor sites add` makes one, and `uptime-monitor check URL` needs none".to_owned(),
    };
    CliError::Usage(format!("there is no site {name:?}: {file}, and {database}; {remedy}"))
}
