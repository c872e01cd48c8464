//! `sites export`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::error::CliError;
use crate::cli::output::{Output, tell};
use crate::cli::refusal::sentence;
use crate::cli::storage::Storage;
use crate::cli::{ANSWER_IS_NO, Answer, FINE};
use crate::config::{ExportError, Format, Loaded, write_sites};
use crate::model::Declared;
use crate::private;
use crate::report::count;
use crate::store::{Listed, StoreError};

const EXAMPLES: &str = "\
Examples:
  uptime-monitor sites export sites.csv
  uptime-monitor sites export --format json | jq length

What is exported can be imported again, also into another database, where the sites keep their ids; or, as TOML, be part
of the configuration file. Both read ${NAME} as an environment variable, so a literal ${ is written as $${. It holds passwords
and tokens as they are, so a new file is for you alone. CSV has no columns for request, tls and expect. A site that this
version cannot read, for a newer one has written it, is left out and named on stderr; the exit code is 1 then.";

/// Write all sites to a file or to stdout
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ExportArgs {
    /// The file, which is replaced [default: stdout]
    file: Option<PathBuf>,

    /// How it is written [default: by the file's extension, else toml]
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
}

/// The formats of files with sites.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum FormatArg {
    Csv,
    Toml,
    Json,
}

impl FormatArg {
    pub(super) fn format(self) -> Format {
        match self {
            Self::Csv => Format::Csv,
            Self::Toml => Format::Toml,
            Self::Json => Format::Json,
        }
    }
}

pub(super) fn run(args: &ExportArgs, loaded: &Loaded, output: &mut Output) -> Answer {
    let file = args.file.as_deref().filter(|file| *file != Path::new("-"));
    if let Some(file) = file {
        refuse_nowhere(file)?;
    }
    let storage = Storage::existing(&loaded.config.database)?;
    let all = storage.wait(storage.sites(loaded).all())?;
    let wanted = all.len();
    let sites = readable(all);
    let format =
        args.format.map(FormatArg::format).or_else(|| file.and_then(Format::of)).unwrap_or(Format::Toml);
    let mut written = Vec::new();
    write_sites(&sites, format, &mut written).map_err(|error| match error {
        ExportError::Output(error) => CliError::Output(error),
        refused @ (ExportError::NotInCsv { .. } | ExportError::NotInToml { .. }) => {
            CliError::Usage(refused.to_string())
        }
    })?;
    match file {
        None => output.write_all(&written)?,
        Some(file) => {
            replace(file, &written)?;
            writeln!(output, "exported {} to {}", count(sites.len() as u64, "site"), file.display())?;
        }
    }
    // A script that keeps exports as a backup has to learn that this one is not whole.
    Ok(if sites.len() == wanted { FINE } else { ANSWER_IS_NO })
}

/// Those that can be read completely. What an export leaves out must not get lost in silence.
fn readable(sites: Vec<Listed>) -> Vec<Declared> {
    let complete = sites.into_iter().filter_map(|site| match site.complete() {
        Ok(site) => Some(Declared { id: Some(site.id), spec: site.spec }),
        Err(unreadable) => {
            tell(&format_args!("left out: {}", sentence(&StoreError::from(unreadable))));
            None
        }
    });
    complete.collect()
}

/// What can be known before the database is asked.
fn refuse_nowhere(file: &Path) -> Result<(), CliError> {
    let failed = |source| Err(CliError::File { path: file.display().to_string(), source });
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.map(Path::metadata) {
        Some(Err(error)) => failed(error),
        Some(Ok(folder)) if !folder.is_dir() => failed(io::ErrorKind::NotADirectory.into()),
        _ if file.is_dir() => failed(io::ErrorKind::IsADirectory.into()),
        _ => Ok(()),
    }
}

/// A new file is for its owner alone: sites may have passwords.
fn replace(file: &Path, content: &[u8]) -> Result<(), CliError> {
    let failed = |source| CliError::File { path: file.display().to_string(), source };
    let opened = private::options().write(true).create(true).truncate(true).open(file);
    opened.and_then(|mut file| file.write_all(content)).map_err(failed)
}
