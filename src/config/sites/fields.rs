//! Sites from tables of keys: `[[site]]` in TOML, objects in JSON.

use std::path::Path;

use super::table::{self, Key, Shape};
use super::unique::Names;
use super::{RawSite, SiteDefaults};
use crate::config::document::{Document, Fields};
use crate::config::expand::Resolver;
use crate::config::fault::Fault;
use crate::config::problem::Problem;
use crate::config::suggest::nearest;
use crate::config::value::Setting;
use crate::model::SiteSpec;

/// Keys that CSV has a column for. A cell cannot hold a table, nor the line break that `send` ends with.
pub(super) fn of_csv() -> Vec<&'static str> {
    let known = table::known("").into_iter();
    known.filter(|key| *key != "send" && !tables().any(|table| table == *key)).collect()
}

/// Keys with a table each.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    let is_table = |key: &&Key| matches!(key.shape, Shape::Table | Shape::TableOrText);
    Key::in_table("").filter(is_table).map(Key::name)
}

/// What is wrong with a key that no field has, where a site may have these.
pub(super) fn unknown(key: &str, known: &[&'static str]) -> Fault {
    let remedy = match nearest(key, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("remove it; a site has {}", known.join(", ")),
    };
    Fault::new("unknown key", remedy)
}

/// Takes the known keys of a table; the others are problems.
pub(super) fn raw_site(fields: Fields) -> (RawSite, Vec<Problem>) {
    let mut site = RawSite::new(fields.origin);
    let mut strangers = Vec::new();
    for (key, setting) in fields.settings {
        match site.field(&key) {
            Some(field) => *field = Some(setting),
            None => strangers.push((key, setting)),
        }
    }
    let known = table::known("");
    // Only now is the name known that problems go by.
    let refuse = |(key, setting): (String, Setting)| {
        Problem::without_value(site.key(&key), &setting, unknown(&key, &known))
    };
    let problems = strangers.into_iter().map(refuse).collect();
    (site, problems)
}

/// The `[[site]]` tables of the configuration file at `path`, with `${NAME}` resolved, and everything wrong with them.
pub(in super::super) fn from_file(
    document: Document,
    path: Option<&Path>,
    env: &[(String, String)],
    defaults: &SiteDefaults,
) -> (Vec<SiteSpec>, Vec<Problem>) {
    let resolver = path.map_or_else(Resolver::literal, |path| Resolver::for_file(path, env));
    let (mut sites, mut problems, mut names) = (Vec::new(), Vec::new(), Names::default());
    for fields in document.sites.unwrap_or_default() {
        let (mut site, mut wrong) = raw_site(fields);
        wrong.extend(resolve(&mut site, resolver));
        wrong.extend(names.claim(&site).err());
        match site.validate(defaults) {
            Ok(spec) if wrong.is_empty() => sites.push(spec),
            Ok(_) => {}
            Err(more) => add_new(&mut wrong, more),
        }
        problems.append(&mut wrong);
    }
    (sites, problems)
}

/// Replaces the references in what `site` says. Returns what is wrong with them.
pub(super) fn resolve(site: &mut RawSite, resolver: Resolver<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let is_text = site.expect.as_ref().is_some_and(|expect| expect.value.as_str().is_some());
    let plain = table::known("").into_iter().filter(|key| !tables().any(|table| table == *key));
    for key in plain.chain(is_text.then_some("expect")) {
        let name = site.key(key);
        let Some(slot) = site.field(key) else { continue };
        let Some(setting) = slot.clone() else { continue };
        match resolver.resolve(setting.clone(), false) {
            Ok(resolved) => *slot = Some(resolved),
            // A password may stand beside the reference.
            Err(fault) if key == "send" => problems.push(Problem::without_value(name, &setting, fault)),
            Err(fault) => problems.push(Problem::with(name, &setting, fault)),
        }
    }
    for key in tables() {
        let name = site.key(key);
        let Some(setting) = site.field(key).and_then(Option::take) else { continue };
        let (resolved, faults) = resolver.resolve_inner(setting);
        problems.extend(faults.into_iter().map(|(path, fault)| unresolved(&name, &resolved, &path, fault)));
        if let Some(slot) = site.field(key) {
            *slot = Some(resolved);
        }
    }
    problems
}

/// Without the value: what stands beside the reference may be a secret.
fn unresolved(name: &str, table: &Setting, path: &str, fault: Fault) -> Problem {
    let Fault { message, remedy } = fault;
    Problem::new(table.origin_of(path), message, remedy).about(format!("{name}.{path}"))
}

/// Adds what is new: a key that could not be resolved needs no second problem about its text.
pub(super) fn add_new(problems: &mut Vec<Problem>, more: Vec<Problem>) {
    for problem in more {
        if !problems.iter().any(|known| known.key == problem.key && known.origin == problem.origin) {
            problems.push(problem);
        }
    }
}
