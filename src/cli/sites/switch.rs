//! `sites pause` and `sites resume`.

use std::io::Write as _;

use clap::Args;

use super::super::output::Output;
use super::super::storage::Storage;
use super::super::{Answer, FINE};
use super::changeable;
use crate::model::SiteSpec;

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

pub(super) fn pause(args: &PauseArgs, storage: &Storage, output: &mut Output) -> Answer {
    switch(&args.names, false, "paused", storage, output)
}

pub(super) fn resume(args: &ResumeArgs, storage: &Storage, output: &mut Output) -> Answer {
    switch(&args.names, true, "resumed", storage, output)
}

fn switch(names: &[String], enabled: bool, done: &str, storage: &Storage, output: &mut Output) -> Answer {
    for site in changeable(names, storage)? {
        let name = site.spec.name.clone();
        if site.spec.enabled == enabled {
            let state = if enabled { "not paused" } else { "paused already" };
            writeln!(output, "{name} is {state}")?;
            continue;
        }
        storage.wait(storage.catalog.change(SiteSpec { enabled, ..site.spec }))?;
        writeln!(output, "{done} {name}")?;
    }
    Ok(FINE)
}
