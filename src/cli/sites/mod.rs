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
use crate::config::{Loaded, Origin, Setting, SiteDefaults, Value};
use crate::model::{self, Site};
use crate::store::StoreError;

const EXAMPLES: &str = "\
Examples:
  uptime-monitor sites add https://shop.example/health --name shop --every 30s
  uptime-monitor sites list --tag prod
  uptime-monitor sites import sites.csv
  uptime-monitor sites pause shop

A running `uptime-monitor run` takes up every change within 2 seconds.
Sites that stand in the configuration file are changed there.";

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
        SitesCommand::Pause(args) => switch::pause(&args, &Storage::existing(database)?, output),
        SitesCommand::Resume(args) => switch::resume(&args, &Storage::existing(database)?, output),
        SitesCommand::Remove(args) => remove::run(&args, &Storage::existing(database)?, output),
        SitesCommand::Export(args) => export::run(&args, &Storage::existing(database)?, output),
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

    /// Time for one try: all redirects, headers and body; shorter than the interval
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,

    /// Further tries before a down stands, 0 to 10
    #[arg(long, value_name = "N")]
    retries: Option<String>,

    /// A word for grouping; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
}

fn flag(name: &str, text: &Option<String>) -> Option<Setting> {
    text.as_ref().map(|text| Setting::from_flag(name, text.as_str()))
}

fn tags(tags: &[String]) -> Setting {
    let tags: Vec<toml::Value> = tags.iter().map(|tag| tag.as_str().into()).collect();
    Setting::new(Value::Typed(tags.into()), Origin::Flag("--tag".into()))
}

/// The named sites, each once; or everything that speaks against changing them, in which case none is.
fn changeable(names: &[String], storage: &Storage) -> Result<Vec<Site>, CliError> {
    let (mut sites, mut refused): (Vec<Site>, Vec<StoreError>) = (Vec::new(), Vec::new());
    for name in names {
        match storage.wait(storage.catalog.site(name)) {
            Ok(site) if site.origin == model::Origin::File => {
                refused.push(StoreError::DeclaredInFile(site.spec.name))
            }
            Ok(site) if sites.iter().any(|known| known.id == site.id) => {}
            Ok(site) => sites.push(site),
            Err(error) => refused.push(error),
        }
    }
    if refused.is_empty() { Ok(sites) } else { Err(CliError::Refused(refused)) }
}
