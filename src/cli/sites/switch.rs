//! `sites pause` and `sites resume`.

use std::io::Write as _;

use clap::Args;

use crate::cli::output::Output;
use crate::cli::storage::Storage;
use crate::cli::{Answer, FINE};
use crate::config::Loaded;

/// Stop checking sites; they keep their settings and results
///
/// Slots that were due before still count. When one of the sites is unknown, none is paused.
#[derive(Debug, Args)]
#[command(after_help = "Example: uptime-monitor sites pause shop example.com/health")]
pub(super) struct PauseArgs {
    /// Which sites
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Check paused sites again, at once and then on schedule
///
/// When one of the sites is unknown, none is resumed.
#[derive(Debug, Args)]
#[command(after_help = "Example: uptime-monitor sites resume shop")]
pub(super) struct ResumeArgs {
    /// Which sites
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

pub(super) fn pause(args: &PauseArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    switch(&args.names, false, "paused", loaded, output)
}

pub(super) fn resume(args: &ResumeArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    switch(&args.names, true, "resumed", loaded, output)
}

fn switch(names: &[String], enabled: bool, done: &str, loaded: &Loaded, output: &mut Output) -> Answer {
    let storage = Storage::existing(&loaded.config.database)?;
    let sites = storage.sites(loaded);
    let already = if enabled { "not paused" } else { "paused already" };
    for site in storage.wait(sites.changeable(names))? {
        let name = site.spec.name.clone();
        match storage.wait(sites.switch(site, enabled))? {
            Some(_) => writeln!(output, "{done} {name}")?,
            None => writeln!(output, "{name} is {already}")?,
        }
    }
    Ok(FINE)
}
