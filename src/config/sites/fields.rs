//! Sites from tables of keys: `[[site]]` in TOML, objects in JSON.

use std::path::Path;

use super::super::document::{Document, Fields};
use super::super::expand::Resolver;
use super::super::problem::{Fault, Problem};
use super::super::suggest::nearest;
use super::super::value::Setting;
use super::unique::Names;
use super::{RawSite, SiteDefaults};
use crate::model::SiteSpec;

/// Keys with one value.
const KEYS: [&str; 11] =
    ["name", "url", "every", "schedule", "zone", "timeout", "retries", "enabled", "tags", "send", "id"];

/// Keys that CSV has a column for. A cell cannot hold the line break that `send` ends with.
pub(super) const COLUMNS: [&str; 10] =
    ["name", "url", "every", "schedule", "zone", "timeout", "retries", "enabled", "tags", "id"];

/// Keys with a table each.
pub(super) const TABLES: [&str; 3] = ["request", "tls", "expect"];

/// The field of `site` called `key`.
pub(super) fn field<'a>(site: &'a mut RawSite, key: &str) -> Option<&'a mut Option<Setting>> {
    Some(match key {
        "name" => &mut site.name,
        "url" => &mut site.url,
        "every" => &mut site.every,
        "schedule" => &mut site.schedule,
        "zone" => &mut site.zone,
        "timeout" => &mut site.timeout,
        "retries" => &mut site.retries,
        "enabled" => &mut site.enabled,
        "tags" => &mut site.tags,
        "send" => &mut site.send,
        "id" => &mut site.id,
        "request" => &mut site.request,
        "tls" => &mut site.tls,
        "expect" => &mut site.expect,
        _ => return None,
    })
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
        match field(&mut site, &key) {
            Some(field) => *field = Some(setting),
            None => strangers.push((key, setting)),
        }
    }
    let known = [&KEYS[..], &TABLES].concat();
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
    for key in KEYS.into_iter().chain(is_text.then_some("expect")) {
        let name = site.key(key);
        let Some(slot) = field(site, key) else { continue };
        let Some(setting) = slot.clone() else { continue };
        match resolver.resolve(setting.clone(), false) {
            Ok(resolved) => *slot = Some(resolved),
            // A password may stand beside the reference.
            Err(fault) if key == "send" => problems.push(Problem::without_value(name, &setting, fault)),
            Err(fault) => problems.push(Problem::with(name, &setting, fault)),
        }
    }
    for key in TABLES {
        let name = site.key(key);
        let Some(setting) = field(site, key).and_then(Option::take) else { continue };
        let (resolved, faults) = resolver.resolve_inner(setting);
        problems.extend(faults.into_iter().map(|(path, fault)| unresolved(&name, &resolved, &path, fault)));
        if let Some(slot) = field(site, key) {
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
