//! What the user wants: defaults, file, environment and flags become one validated [`Config`] and a list of sites.
//!
//! ```text
//! uptime.toml ──document──▶ settings with lines ─┐
//! UPTIME__… and flags ───────────────────────────┴─layers──▶ one per key ──reader──▶ Config, or every problem
//! [[site]], CSV, JSON, flags ──▶ sites::RawSite ──validate──▶ model::SiteSpec
//! ```
//!
//! Nothing here reads the process's environment: it comes in with [`Sources`], so tests choose it.

mod document;
mod encoding;
mod expand;
mod fault;
mod find;
mod format;
mod known;
mod layers;
mod lines;
mod network;
mod parse;
mod problem;
mod quoted;
mod reader;
mod schema;
mod secret;
mod sections;
mod services;
mod sites;
mod suggest;
mod syntax;
mod value;

use std::path::{Path, PathBuf};

use document::Document;
use layers::Layers;
use lines::{file_origin, line_of};
use reader::Reader;

use crate::model::SiteSpec;

pub(crate) use fault::Fault;
pub use find::{find_file, find_file_in};
pub use format::duration as format_duration;
pub use network::WORDS as DENY_WORDS;
pub use problem::{Problem, Problems};
pub use reader::Effective;
pub use schema::schema;
pub use secret::hide_password;
pub use sections::{
    CheckerConfig, Config, DatabaseConfig, LogConfig, LogFormat, PersisterConfig, ResultLogConfig,
    ResultLogKind, RetentionConfig, SchedulerConfig, SupervisorConfig, WebConfig, WorkerConfig,
};
pub use sites::{
    ExportError, Format, Import, Key, RawSite, Shape, SiteDefaults, SiteFields, default_name,
    has_large_number, parse_sites, read_sites, write_sites,
};
pub use value::{Origin, Setting, Value, null};

/// The commented reference, which is where the defaults stand.
pub const REFERENCE: &str = include_str!("../../config/uptime.toml");

/// From where a configuration is put together.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// See [`find_file`]. Without one, the defaults count.
    pub file: Option<PathBuf>,
    /// The environment, whole: for `UPTIME__…` and for `${NAME}`.
    pub env: Vec<(String, String)>,
    /// Flags, as pairs of dotted key and text: `("log.level", "debug")`.
    pub overrides: Vec<(String, String)>,
}

/// A valid configuration.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is in force.
    pub config: Config,
    /// The file's sites. A file without any has none: those it declared before have left it.
    pub sites: Vec<SiteSpec>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Not a byte is in it: perhaps somebody has emptied it. A shell does so for `… > uptime.toml` before the program begins.
    pub emptied: bool,
    /// Every key's value and where it came from, in the order of the reference. Passwords are not hidden here.
    pub origins: Vec<Effective>,
}

/// Puts a configuration together, or tells everything that is wrong with it.
///
/// # Errors
/// Every problem in the file, in `UPTIME__…` variables, in flags and in `[[site]]` tables.
pub fn load(sources: Sources) -> Result<Loaded, Problems> {
    let Sources { file, env, overrides } = sources;
    let (reference, mut problems) = Document::parse(REFERENCE, &Origin::Default);
    let mut layers = Layers::over(reference);
    let mut document = match &file {
        Some(path) => read_document(path, &mut problems),
        None => Document::default(),
    };
    let broken_lines: Vec<Option<Origin>> = problems.iter().map(|problem| problem.origin.clone()).collect();
    if let Some(path) = &file {
        layers.add_file(&mut document, path, &env);
    }
    layers.add_env(&env);
    layers.add_overrides(overrides);
    let (settings, refused) = layers.resolve();

    let mut reader = Reader::new(&settings);
    let config = Config::read(&mut reader);
    let (origins, unreadable) = reader.finish();

    let (sites, bad_sites) =
        sites::from_file(document, file.as_deref(), &env, &SiteDefaults::of(&config.checker));

    // What a line with broken syntax seems to say is guesswork, and not worth a second problem.
    let later = refused.into_iter().chain(unreadable).chain(bad_sites);
    problems.extend(later.filter(|problem| !broken_lines.contains(&problem.origin)));
    problems.sort_by_key(|problem| problem.origin.as_ref().map(place));
    let emptied = file.as_deref().is_some_and(is_emptied);
    Problems::or(problems, Loaded { config, sites, file, emptied, origins })
}

/// A pipe or a device may well have nothing to say.
fn is_emptied(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.len() == 0)
}

/// The order in which people look for problems: down the file, then around it.
fn place(origin: &Origin) -> (u8, u32) {
    match origin {
        Origin::Default => (0, 0),
        Origin::File(..) => (1, line_of(origin)),
        Origin::Env(_) => (2, 0),
        Origin::Flag(_) => (3, 0),
    }
}

fn read_document(path: &Path, problems: &mut Vec<Problem>) -> Document {
    match read_text(path) {
        Ok(text) => {
            let (document, syntax) = Document::parse(&text, &file_origin(path));
            problems.extend(syntax);
            document
        }
        Err(problem) => {
            problems.push(problem);
            Document::default()
        }
    }
}

fn read_text(path: &Path) -> Result<String, Problem> {
    let origin = file_origin(path);
    let bytes = std::fs::read(path).map_err(|error| {
        Problem::new(origin.clone(), format!("cannot be read: {error}"), "name a readable text file in UTF-8")
    })?;
    encoding::utf8(&bytes, &origin).map(str::to_owned)
}
