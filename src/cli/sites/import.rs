//! `sites import`.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::defaults;
use super::export::FormatArg;
use crate::cli::error::CliError;
use crate::cli::output::{Output, tell};
use crate::cli::refusal::taken_by_import;
use crate::cli::storage::Storage;
use crate::cli::{Answer, FINE, environment};
use crate::clock::Clock;
use crate::config::{Import, Loaded, SiteDefaults, parse_sites, read_sites};
use crate::report::count;
use crate::sites::{InFile, SitesError};
use crate::store::{Changes, Progress, StoreError};

const EXAMPLES: &str = "\
Examples:
  uptime-monitor sites import sites.csv
  uptime-monitor sites import sites.toml --update
  generate-sites | uptime-monitor sites import - --format json

CSV has a header; every, timeout, tags, retries, enabled and id may be left out,
and columns may be separated by semicolons or tabs, too:
  name,url,every,timeout,tags
  shop,https://shop.example/health,30s,5s,prod;eu

In every format ${NAME} stands for an environment variable, as in the
configuration file; $${ stands for a literal ${, and exports write it so.";

/// Add many sites from a CSV, TOML or JSON file: all of them, or none
///
/// Every row that is wrong is named with its line. Imported sites are checked in their phases, spread evenly over their
/// intervals. A name that is taken is refused, unless the site is the same already, has left the configuration file, or --update is
/// given. A new site gets the id that the file names, as an export does; the id of a removed site is given to no other.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ImportArgs {
    /// The file; - for stdin
    file: PathBuf,

    /// How it is written [default: by the file's extension]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,

    /// Import the valid rows and leave out the others
    #[arg(long)]
    skip_invalid: bool,

    /// Change sites that exist and differ; what the file leaves out gets its default
    #[arg(long)]
    update: bool,
}

pub(super) fn run(args: &ImportArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    let import = read(args, &defaults(loaded))?;
    refuse_invalid(&import, args.skip_invalid)?;
    // Before there is a database, which a refused command must not make.
    InFile::of(&loaded.sites).refuse_others(&import.sites)?;
    let storage = Storage::created(&loaded.config.database)?;

    let sites = import.sites.len();
    let started = Clock::instant();
    let bar = progress_bar(sites as u64);
    let progress: Progress = {
        let bar = bar.clone();
        Arc::new(move |done| bar.set_position(done as u64))
    };
    let changes = storage.wait(storage.sites(loaded).import(import.sites, args.update, progress));
    bar.finish_and_clear();
    writeln!(output, "{}", told(sites, &changes.map_err(taken)?, started.elapsed()))?;
    if import.rejected_sites > 0 {
        writeln!(output, "skipped {}", count(import.rejected_sites as u64, "invalid site"))?;
    }
    Ok(FINE)
}

fn read(args: &ImportArgs, defaults: &SiteDefaults) -> Result<Import, CliError> {
    let (format, env) = (args.format.map(FormatArg::format), environment());
    let read = if args.file == Path::new("-") {
        let usage = || CliError::Usage("stdin has no extension; say --format csv, toml or json".to_owned());
        let format = format.ok_or_else(usage)?;
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes)?;
        parse_sites(&bytes, format, Path::new("stdin"), defaults, &env)
    } else {
        read_sites(&args.file, format, defaults, &env)
    };
    // As a list of problems: as a configuration's they would claim to stand in the configuration.
    read.map_err(|problems| CliError::Invalid(problems.iter().cloned().collect()))
}

fn refuse_invalid(import: &Import, skip_invalid: bool) -> Result<(), CliError> {
    for problem in &import.rejected {
        tell(problem);
    }
    if import.rejected.is_empty() || skip_invalid {
        return Ok(());
    }
    let (bad, all) = (import.rejected_sites, import.rejected_sites + import.sites.len());
    Err(CliError::Usage(format!(
        "{bad} of {} cannot be used, and nothing was imported; correct what is listed above, or leave it out with \
         --skip-invalid",
        count(all as u64, "site")
    )))
}

fn taken(error: SitesError) -> CliError {
    match error {
        SitesError::Refused(refused) => match refused.as_slice() {
            [StoreError::Exists(names)] => CliError::Usage(taken_by_import(names)),
            _ => CliError::Refused(refused),
        },
        error => error.into(),
    }
}

fn told(sites: usize, changes: &Changes, time: Duration) -> String {
    let Changes { added, changed, unchanged, .. } = changes;
    format!(
        "imported {} (added {added}, changed {changed}, unchanged {unchanged}) in {:.1} s",
        count(sites as u64, "site"),
        time.as_secs_f64()
    )
}

fn progress_bar(sites: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} sites, {eta} left");
    ProgressBar::new(sites).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
