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
use super::output::Output;
use super::storage::Storage;
use crate::config::{Loaded, Origin, RawSite, Setting, SiteDefaults, Value};

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
        SitesCommand::Show(args) => show::run(&args, loaded, output),
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
