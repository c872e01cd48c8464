//! `sites remove`.

use std::io::{self, IsTerminal as _, Write as _};

use clap::Args;

use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::storage::Storage;
use crate::cli::{ANSWER_IS_NO, Answer, FINE};
use crate::config::Loaded;
use crate::store::Listed;

/// Forget sites, with what is still queued for them
///
/// Reports no longer show them; their results stay in the database until retention deletes them. Asks first when
/// typed at a terminal. When one of the sites is unknown, none is removed. `sites pause` keeps a site in reports.
#[derive(Debug, Args)]
#[command(after_help = "Example: uptime-monitor sites remove shop --yes")]
pub(super) struct RemoveArgs {
    /// Which sites
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,

    /// Don't ask
    #[arg(short, long)]
    yes: bool,
}

pub(super) fn run(args: &RemoveArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    let storage = Storage::existing(&loaded.config.database)?;
    let sites = storage.sites(loaded);
    let named = storage.wait(sites.removable(&args.names))?;
    if !args.yes && !is_confirmed(&named)? {
        writeln!(output, "nothing was removed")?;
        return Ok(ANSWER_IS_NO);
    }
    for site in named {
        storage.wait(sites.remove(&site))?;
        writeln!(output, "removed {}", site.known().spec.name)?;
    }
    Ok(FINE)
}

/// Scripts, where nobody could answer, are not asked.
fn is_confirmed(sites: &[Listed]) -> Result<bool, CliError> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(true);
    }
    let names: Vec<&str> = sites.iter().map(|site| site.known().spec.name.as_str()).collect();
    write!(io::stderr(), "remove {}? [y/N] ", names.join(", "))?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
