//! `config check`, `config show` and `config schema`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::error::CliError;
use super::output::{Output, stderr};
use super::{Answer, FINE};
use crate::config::{Effective, Format, Loaded, Problems, hide_password, schema, write_sites};
use crate::model::Declared;
use crate::model::secret::{HIDDEN, is_secret_name};
use crate::private;

const EXAMPLES: &str = "\
Examples:
  uptime-monitor config check
  uptime-monitor -c /etc/uptime/uptime.toml config check
  uptime-monitor config show --output new.toml    a file to start from
  uptime-monitor config schema > uptime.schema.json

Values are found in this order, later ones win: built-in defaults, the file,
the environment (UPTIME__DATABASE__URL for database.url), flags.";

/// Check the configuration, show the values in force, or write its schema
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ConfigArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say everything that is wrong with the configuration, all at once
    ///
    /// Touches neither the database nor the network. Exit code 2 when something is wrong.
    Check,
    /// Show every value, and where it came from; passwords are hidden
    Show {
        /// Write one JSON object
        #[arg(long)]
        json: bool,

        /// Write to a new file instead of stdout (-); one that exists is not replaced
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Write the JSON Schema of the file, for an editor that completes and checks while you write
    ///
    /// Save it beside the file, and let the file begin with: #:schema ./uptime.schema.json
    Schema,
}

/// Runs on what loading came to, be it failure: finding that out is what `check` is for.
pub(super) fn run(args: &ConfigArgs, loaded: &Result<Loaded, Problems>, output: &mut Output) -> Answer {
    match (&args.command, loaded) {
        (ConfigCommand::Schema, _) => {
            serde_json::to_writer_pretty(&mut *output, &schema()).map_err(io::Error::from)?;
            writeln!(output)?;
            Ok(FINE)
        }
        (ConfigCommand::Check, loaded) => Ok(check(loaded, output, &mut stderr())?),
        (ConfigCommand::Show { .. }, Ok(Loaded { emptied: true, file: Some(file), .. })) => {
            Err(CliError::Usage(emptied(file)))
        }
        (ConfigCommand::Show { json, output: Some(file) }, Ok(loaded)) if file != Path::new("-") => {
            let mut shown = Vec::new();
            show(loaded, *json, &mut shown)?;
            create(file, &shown)?;
            writeln!(output, "written to {}{}", file.display(), to_be_filled_in(&shown))?;
            Ok(FINE)
        }
        (ConfigCommand::Show { json, .. }, Ok(loaded)) => {
            show(loaded, *json, output)?;
            Ok(FINE)
        }
        (ConfigCommand::Show { .. }, Err(problems)) => Err(problems.clone().into()),
    }
}

/// Defaults that are written into the file which the shell has just emptied would disable all sites that it declared.
fn emptied(file: &Path) -> String {
    let file = file.display();
    format!("{file} is empty, as a shell makes the file that it is to write to; remove it, or use --output")
}

fn to_be_filled_in(shown: &[u8]) -> &'static str {
    if String::from_utf8_lossy(shown).contains(HIDDEN) {
        "; what is shown as *** there has to be filled in"
    } else {
        ""
    }
}

/// The shell would make the file before we look for one, and an empty file declares no site.
fn create(file: &Path, content: &[u8]) -> Result<(), CliError> {
    let opened = private::options().write(true).create_new(true).open(file);
    let written = opened.and_then(|mut file| file.write_all(content));
    written.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => {
            CliError::Usage(format!("{} exists already; name a new file, or remove that one", file.display()))
        }
        _ => CliError::File { path: file.display().to_string(), source },
    })
}

/// Says on `out` that the configuration is valid, or on `err` everything that is wrong. Returns the exit code: 0 or 2.
///
/// # Errors
/// A stream cannot be written to.
fn check(loaded: &Result<Loaded, Problems>, out: &mut impl Write, err: &mut impl Write) -> io::Result<u8> {
    match loaded {
        Ok(loaded) => {
            let sites = match loaded.sites.len() {
                1 => "1 site".to_owned(),
                n => format!("{n} sites"),
            };
            writeln!(out, "configuration is valid: {sites} ({})", source(loaded))?;
            Ok(0)
        }
        Err(problems) => {
            writeln!(err, "{problems}")?;
            Ok(2)
        }
    }
}

/// Writes the values in force and the sites of the file, without secrets: as TOML that says where each value came from, which
/// can be loaded again where nothing had to be hidden, or as JSON: `{"section": {"key": {"value": …, "from": "…"}}, "site": […]}`.
///
/// # Errors
/// `out` cannot be written to.
fn show(loaded: &Loaded, json: bool, out: &mut impl Write) -> io::Result<()> {
    if json { show_json(loaded, out) } else { show_toml(loaded, out) }
}

fn source(loaded: &Loaded) -> String {
    match &loaded.file {
        Some(path) => path.display().to_string(),
        None => "no file, built-in defaults".to_owned(),
    }
}

fn show_toml(loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "# {}; {} sites in it", source(loaded), loaded.sites.len())?;
    let mut current = "";
    for entry in &loaded.origins {
        let (section, key) = split(entry);
        if section != current {
            writeln!(out, "\n[{section}]")?;
            current = section;
        }
        let line = format!("{key} = {}", shown(key, &entry.value));
        writeln!(out, "{line:<50} # {}", entry.origin)?;
    }
    let sites = shown_sites(loaded);
    if !sites.is_empty() {
        writeln!(out)?;
        write_sites(&sites, Format::Toml, out).map_err(io::Error::other)?;
    }
    Ok(())
}

/// What is in force is no place to find secrets: `sites export` has them.
fn shown_sites(loaded: &Loaded) -> Vec<Declared> {
    loaded.sites.iter().map(|site| site.without_secrets().into()).collect()
}

fn show_json(loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    let mut sections = serde_json::json!({});
    for entry in &loaded.origins {
        let (section, key) = split(entry);
        let mut keys = &mut sections;
        for name in section.split('.') {
            keys = &mut keys[name];
        }
        keys[key] =
            serde_json::json!({ "value": shown(key, &entry.value), "from": entry.origin.to_string() });
    }
    let mut sites = Vec::new();
    write_sites(&shown_sites(loaded), Format::Json, &mut sites).map_err(io::Error::other)?;
    sections["site"] = serde_json::from_slice(&sites)?;
    serde_json::to_writer_pretty(&mut *out, &sections)?;
    writeln!(out)
}

fn split(entry: &Effective) -> (&str, &str) {
    entry.key.rsplit_once('.').unwrap_or(("", &entry.key))
}

fn shown(key: &str, value: &toml::Value) -> toml::Value {
    match value {
        toml::Value::String(text) if is_secret_name(key) && !text.is_empty() => HIDDEN.into(),
        toml::Value::String(text) => hide_password(text).into_owned().into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn sources(variables: &[(&str, &str)]) -> Sources {
        let env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Sources { env, ..Sources::default() }
    }

    fn checked(sources: Sources) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = check(&load(sources), &mut out, &mut err).unwrap();
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    fn shown(sources: Sources, json: bool) -> String {
        let mut out = Vec::new();
        show(&load(sources).unwrap(), json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_valid_configuration_exits_0_and_says_so_on_stdout() {
        let (code, out, err) = checked(Sources::default());

        assert_eq!((code, err.as_str()), (0, ""));
        assert_eq!(out, "configuration is valid: 0 sites (no file, built-in defaults)\n");
    }

    #[test]
    fn problems_exit_2_and_go_to_stderr() {
        let (code, out, err) = checked(sources(&[("UPTIME__WORKER__POLL", "1"), ("UPTIME__NO", "1")]));

        assert_eq!((code, out.as_str()), (2, ""));
        assert!(err.starts_with("2 problems in the configuration:\n"), "{err}");
        assert_eq!(err.lines().count(), 3, "{err}");
    }

    #[test]
    fn what_is_shown_can_be_loaded_and_shows_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shown.toml");
        let given =
            sources(&[("UPTIME__CHECKER__DNS", "9.9.9.9:53"), ("UPTIME__CHECKER__BODY_LIMIT", "1000")]);
        let before = load(given.clone()).unwrap();

        std::fs::write(&path, shown(given, false)).unwrap();

        let after = load(Sources { file: Some(path), ..Sources::default() }).unwrap();
        assert_eq!(after.config, before.config);
    }

    #[test]
    fn every_value_is_shown_with_its_origin() {
        let given = sources(&[("UPTIME__WORKER__THREADS", "4")]);

        let toml = shown(given.clone(), false);
        let json: serde_json::Value = serde_json::from_str(&shown(given, true)).unwrap();

        let line = toml.lines().find(|line| line.starts_with("threads = ")).unwrap();
        assert!(
            line.starts_with("threads = 4 ")
                && line.ends_with("# environment variable UPTIME__WORKER__THREADS")
        );
        assert_eq!(json["worker"]["threads"]["value"], 4);
        assert_eq!(json["worker"]["threads"]["from"], "environment variable UPTIME__WORKER__THREADS");
        assert_eq!(json["log"]["level"], serde_json::json!({ "value": "info", "from": "default" }));
    }

    #[test]
    fn passwords_are_hidden() {
        let given = sources(&[("UPTIME__CHECKER__USER_AGENT", "bot (+https://user:hunter2@bot.example)")]);

        for json in [false, true] {
            let text = shown(given.clone(), json);
            assert!(text.contains("user:***@bot.example") && !text.contains("hunter2"), "{text}");
        }
    }
}
