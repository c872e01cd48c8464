//! Defaults, file, environment, flags: for every key the last one wins.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::document::Document;
use super::expand::Resolver;
use super::fault::Fault;
use super::known::{Known, Target};
use super::problem::Problem;
use super::secret::is_secret_key;
use super::value::{Origin, Setting, Value};

/// What every variable of ours begins with.
const PREFIX: &str = "UPTIME__";

/// The winning setting of every key; `None` where it refers to what is not there, which is a problem already.
pub(super) type Settings = BTreeMap<String, Option<Setting>>;

pub(super) struct Layers<'a> {
    known: Known,
    winners: BTreeMap<String, Winner<'a>>,
    problems: Vec<Problem>,
}

/// Resolved only when it has won: what is overridden may well refer to what is not there.
struct Winner<'a> {
    setting: Setting,
    from_file: bool,
    resolver: Resolver<'a>,
}

impl<'a> Layers<'a> {
    /// With `reference` as the defaults, and as the list of known keys.
    pub(super) fn over(reference: Document) -> Self {
        let known = Known::of(&reference);
        let mut layers = Self { known, winners: BTreeMap::new(), problems: Vec::new() };
        layers.add(reference.settings, Resolver::literal(), str::to_owned);
        layers
    }

    /// Adds a file. Relative paths in it are seen from its own folder.
    pub(super) fn add_file(&mut self, document: &mut Document, path: &'a Path, env: &'a [(String, String)]) {
        for (section, origin) in &document.sections {
            if !self.known.has_section(section) {
                let Fault { message, remedy } = self.known.unknown_section(section);
                self.problems
                    .push(Problem::new(origin.clone(), message, remedy).about(format!("[{section}]")));
            }
        }
        let unknown: BTreeSet<&str> = document
            .sections
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !self.known.has_section(name))
            .collect();
        let settings = std::mem::take(&mut document.settings);
        let in_known = settings
            .into_iter()
            .filter(|(key, _)| key.rsplit_once('.').is_none_or(|(section, _)| !unknown.contains(section)));
        self.add(in_known.collect(), Resolver::for_file(path, env), str::to_owned);
    }

    /// Adds the variables of the environment that begin with `UPTIME__`.
    pub(super) fn add_env(&mut self, env: &[(String, String)]) {
        let ours = env.iter().filter_map(|(name, value)| {
            let key = name.strip_prefix(PREFIX)?.to_lowercase().replace("__", ".");
            Some((key, Setting::new(Value::Text(value.clone()), Origin::Env(name.as_str().into()))))
        });
        let spell = |key: &str| format!("{PREFIX}{}", key.replace('.', "__").to_uppercase());
        self.add(ours.collect(), Resolver::literal(), spell);
    }

    /// Adds flags, as pairs of dotted key and text.
    pub(super) fn add_overrides(&mut self, overrides: Vec<(String, String)>) {
        let settings = overrides.into_iter().map(|(key, text)| {
            let setting = Setting::from_flag(&key, text);
            (key, setting)
        });
        self.add(settings.collect(), Resolver::literal(), str::to_owned);
    }

    fn add(&mut self, settings: Vec<(String, Setting)>, resolver: Resolver<'a>, spell: fn(&str) -> String) {
        let mut in_this_layer = BTreeMap::new();
        for (key, setting) in settings {
            let (base, from_file) = match self.known.resolve(&key, spell) {
                Ok(Target::Key) => (key.clone(), false),
                Ok(Target::FromFile(base)) => (base, true),
                Err(fault) => {
                    self.problems.push(Problem::without_value(key, &setting, fault));
                    continue;
                }
            };
            if let Some((other, _)) =
                in_this_layer.insert(base.clone(), (key.clone(), from_file)).filter(|it| it.1 != from_file)
            {
                let fault = Fault::new(format!("stands beside {}", spell(&other)), "keep one of the two");
                self.problems.push(refused(&base, key, &setting, fault));
            }
            self.winners.insert(base, Winner { setting, from_file, resolver });
        }
    }

    /// The winners with `${NAME}` and `_file` resolved.
    pub(super) fn resolve(mut self) -> (Settings, Vec<Problem>) {
        let mut settings = Settings::new();
        for (key, Winner { setting, from_file, resolver }) in self.winners {
            let written = setting.clone();
            let resolved = resolver.resolve(setting, from_file).map_err(|fault| {
                let spelt = if from_file { format!("{key}_file") } else { key.clone() };
                self.problems.push(refused(&key, spelt, &written, fault));
            });
            settings.insert(key, resolved.ok());
        }
        (settings, self.problems)
    }
}

/// What is wrong with a setting of the known key `base`, which was spelt `key`.
pub(super) fn refused(base: &str, key: impl Into<String>, setting: &Setting, fault: Fault) -> Problem {
    if is_secret_key(base) {
        Problem::without_value(key, setting, fault)
    } else {
        Problem::with(key, setting, fault)
    }
}
