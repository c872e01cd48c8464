//! `sites`: shows and changes what is watched.

mod add;
mod change;
mod export;
mod failure;
mod import;
mod list;
mod remove;
mod show;
mod switch;

use clap::{Args, Subcommand};

use super::Answer;
use super::error::CliError;
use super::output::Output;
use super::storage::Storage;
use crate::config::{Loaded, Origin, RawSite, Setting, SiteDefaults, Value};
use crate::model::{self, Site, SiteSpec};
use crate::store::{Listed, StoreError};

const EXAMPLES: &str = "\
Examples:
  uptime-monitor sites add https://shop.example/health --name shop --every 30s
  uptime-monitor sites list --tag prod
  uptime-monitor sites import sites.csv
  uptime-monitor sites pause shop

A running `uptime-monitor run` takes up every change within 2 seconds.
Sites that stand in the configuration file are changed there. One that has left
the file is paused, and then for commands to change: set, resume, remove, add.";

/// Show and change what is watched
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct SitesArgs {
    #[command(subcommand)]
    command: SitesCommand,
}

#[derive(Debug, Subcommand)]
enum SitesCommand {
    Add(add::AddArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Set(change::SetArgs),
    Pause(switch::PauseArgs),
    Resume(switch::ResumeArgs),
    Remove(remove::RemoveArgs),
    Import(import::ImportArgs),
    Export(export::ExportArgs),
}

pub(super) fn run(args: SitesArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    let database = &loaded.config.database;
    match args.command {
        SitesCommand::Add(args) => add::run(&args, loaded, output),
        SitesCommand::Import(args) => import::run(&args, loaded, output),
        SitesCommand::List(args) => list::run(&args, &Storage::existing(database)?, output),
        SitesCommand::Show(args) => show::run(&args, &Storage::existing(database)?, output),
        SitesCommand::Set(args) => change::run(&args, loaded, output),
        SitesCommand::Pause(args) => switch::pause(&args, loaded, output),
        SitesCommand::Resume(args) => switch::resume(&args, loaded, output),
        SitesCommand::Remove(args) => remove::run(&args, loaded, output),
        SitesCommand::Export(args) => export::run(&args, loaded, output),
    }
}

fn defaults(loaded: &Loaded) -> SiteDefaults {
    SiteDefaults::of(&loaded.config.checker)
}

/// The flags that say the same wherever a site is described. Texts, as typed: the validation of sites reads them.
#[derive(Debug, Args)]
struct SiteFlags {
    /// How often it is checked, in whole seconds from 1s to 31d
    #[arg(long, value_name = "DURATION")]
    every: Option<String>,

    /// When it is checked, instead of --every: minute, hour, day, month and weekday, as in '*/5 8-18 * * mon-fri'
    #[arg(long, value_name = "CRON", conflicts_with = "every")]
    schedule: Option<String>,

    /// The time zone of --schedule, for example Europe/Berlin; UTC where none is said
    #[arg(long, value_name = "ZONE", conflicts_with = "every")]
    zone: Option<String>,

    /// Time for one try: all redirects, headers and body; shorter than the time between two checks
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,

    /// Further tries before a down stands, 0 to 10
    #[arg(long, value_name = "N")]
    retries: Option<String>,

    /// A word for grouping; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

impl SiteFlags {
    /// Puts what they say of the schedule over what `site` says: an interval takes the place of a cron expression, and the other way
    /// round.
    fn put_schedule_over(&self, site: &mut RawSite) {
        if self.every.is_some() {
            (site.every, site.schedule, site.zone) = (flag("--every", &self.every), None, None);
        }
        if self.schedule.is_some() {
            (site.every, site.schedule) = (None, flag("--schedule", &self.schedule));
        }
        site.zone = flag("--zone", &self.zone).or(site.zone.take());
    }
}

fn flag(name: &str, text: &Option<String>) -> Option<Setting> {
    text.as_ref().map(|text| Setting::from_flag(name, text.as_str()))
}

fn tags(tags: &[String]) -> Setting {
    let tags: Vec<toml::Value> = tags.iter().map(|tag| tag.as_str().into()).collect();
    Setting::new(Value::Typed(tags.into()), Origin::Flag("--tag".into()))
}

/// The named sites, each once; or everything that speaks against changing them, in which case none is.
fn changeable(names: &[String], storage: &Storage, loaded: &Loaded) -> Result<Vec<Site>, CliError> {
    let (mut sites, mut refused) = (Vec::new(), Vec::new());
    for site in removable(names, storage, loaded)? {
        match site.complete() {
            Ok(site) => sites.push(site),
            Err(error) => refused.push(error),
        }
    }
    if refused.is_empty() { Ok(sites) } else { Err(CliError::Refused(refused)) }
}

/// The same for those who need not read all of a site.
fn removable(names: &[String], storage: &Storage, loaded: &Loaded) -> Result<Vec<Listed>, CliError> {
    let (mut sites, mut refused): (Vec<Listed>, Vec<StoreError>) = (Vec::new(), Vec::new());
    for name in names {
        match named(name, storage) {
            Ok(site) if is_declared(site.known(), loaded) => {
                refused.push(StoreError::DeclaredInFile(name.clone()))
            }
            Ok(site) if sites.iter().any(|other| other.known().id == site.known().id) => {}
            Ok(site) => sites.push(site),
            Err(error) => refused.push(error),
        }
    }
    if refused.is_empty() { Ok(sites) } else { Err(CliError::Refused(refused)) }
}

/// The site called `name`, as far as it can be read.
fn named(name: &str, storage: &Storage) -> Result<Listed, StoreError> {
    match storage.wait(storage.catalog.site(name)) {
        Ok(site) => Ok(site.into()),
        Err(StoreError::Unreadable(site)) => Ok(*site),
        Err(error) => Err(error),
    }
}

/// A site that has left the file may stand there again, and the next start will take it over.
fn is_declared(site: &Site, loaded: &Loaded) -> bool {
    match site.origin {
        model::Origin::File => true,
        model::Origin::Left => is_in_file(&site.spec.name, loaded),
        model::Origin::Command => false,
    }
}

/// Whether our own configuration file declares a site of this name. It is in the database only after the next start.
fn is_in_file(name: &str, loaded: &Loaded) -> bool {
    loaded.sites.iter().any(|declared| declared.name == name)
}

/// Changes `site` to what `edit` makes of it, which is asked again when somebody else has changed it meanwhile. `None`: it is
/// like that already.
fn change(
    mut site: Site,
    storage: &Storage,
    edit: impl Fn(&Site) -> Result<SiteSpec, CliError>,
) -> Result<Option<Site>, CliError> {
    // Each time somebody else has got ahead of us, so many would have to do so in a row.
    const TRIES: usize = 100;
    for _ in 0..TRIES {
        let spec = edit(&site)?;
        if spec == site.spec && site.origin != model::Origin::Left {
            return Ok(None);
        }
        match storage.wait(storage.catalog.replace(&site, spec)) {
            Err(StoreError::ChangedMeanwhile(name)) => site = storage.wait(storage.catalog.site(&name))?,
            done => return Ok(Some(done?)),
        }
    }
    Err(StoreError::ChangedMeanwhile(site.spec.name).into())
}
