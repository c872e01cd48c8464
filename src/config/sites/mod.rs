//! Sites as people declare them, in whatever form, and the one validation they all go through.

mod export;
mod fields;
mod import;
mod json;
mod rows;
mod url;

use std::collections::HashMap;
use std::time::Duration;

use super::problem::{Fault, Problem, quoted};
use super::sections::CheckerConfig;
use super::value::{Origin, Setting, Value};
use super::{format, parse};
use crate::model::{SiteId, SiteSpec};

pub use export::{SiteFields, write_sites};
pub(super) use fields::from_file;
pub use import::{Format, Import, parse_sites, read_sites};
pub use url::default_name;

const EVERY_S: u64 = 60;
const LONGEST_EVERY: Duration = Duration::from_hours(31 * 24);
const RETRIES: i64 = 1;
const LONGEST_NAME: usize = 200;
const LONGEST_TAG: usize = 100;

/// What a site gets that does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteDefaults {
    /// `checker.timeout`: halved intervals win where they are shorter.
    pub timeout: Duration,
    /// A site without a name is called after its URL, see [`default_name`], rather than refused.
    pub name_from_url: bool,
}

impl SiteDefaults {
    /// For files: the name is required.
    pub fn of(checker: &CheckerConfig) -> Self {
        Self { timeout: checker.timeout, name_from_url: false }
    }

    /// For `sites add URL` and `check URL`.
    #[must_use]
    pub fn naming_from_url(self) -> Self {
        Self { name_from_url: true, ..self }
    }
}

/// A site as declared, not yet validated. `None` is "not said".
#[derive(Debug, Clone, PartialEq)]
pub struct RawSite {
    /// Where the declaration begins.
    pub origin: Origin,
    /// The id that it had where it was exported. Counts in imports only.
    pub id: Option<Setting>,
    /// 1 to 200 characters, trimmed.
    pub name: Option<Setting>,
    /// Absolute, `http` or `https`.
    pub url: Option<Setting>,
    /// A duration of whole seconds.
    pub every: Option<Setting>,
    /// A duration of whole milliseconds.
    pub timeout: Option<Setting>,
    /// A whole number.
    pub retries: Option<Setting>,
    /// True or false.
    pub enabled: Option<Setting>,
    /// A list; as text, comma-separated.
    pub tags: Option<Setting>,
    /// A table: what is sent.
    pub request: Option<Setting>,
    /// A table: whom we trust and who we are.
    pub tls: Option<Setting>,
    /// A table: what makes the answer a good one.
    pub expect: Option<Setting>,
}

impl RawSite {
    /// A declaration that says nothing yet.
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            id: None,
            name: None,
            url: None,
            every: None,
            timeout: None,
            retries: None,
            enabled: None,
            tags: None,
            request: None,
            tls: None,
            expect: None,
        }
    }

    /// A declaration that says all that `spec` says, to be changed and validated again: for `sites set`.
    pub fn from_spec(spec: &SiteSpec, origin: Origin) -> Self {
        let say = |value: toml::Value| Some(Setting::new(Value::Typed(value), origin.clone()));
        Self {
            id: None,
            name: say(spec.name.as_str().into()),
            url: say(spec.url.as_str().into()),
            every: say(format::duration(Duration::from_secs(spec.every_s.into())).into()),
            timeout: say(format::duration(spec.timeout).into()),
            retries: say(i64::from(spec.retries).into()),
            enabled: say(spec.enabled.into()),
            tags: say(spec.tags.clone().into()),
            request: None,
            tls: None,
            expect: None,
            origin,
        }
    }

    /// The site, with defaults filled in.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn validate(self, defaults: &SiteDefaults) -> Result<SiteSpec, Vec<Problem>> {
        let mut check = Check { site: &self, problems: Vec::new() };
        let url = check.url();
        let name = check.name(url.as_deref(), defaults);
        let every = check.optional("every", &self.every, every, Duration::from_secs(EVERY_S));
        let timeout = check.timeout(every, defaults);
        let retries =
            check.optional("retries", &self.retries, |value| parse::count(value, &(0..=10)), RETRIES);
        let enabled = check.optional("enabled", &self.enabled, parse::bool, true);
        let tags = check.optional("tags", &self.tags, tags, Vec::new());
        let problems = check.problems;
        match (name, url, every, timeout, retries, enabled, tags) {
            (Some(name), Some(url), Some(every), Some(timeout), Some(retries), Some(enabled), Some(tags))
                if problems.is_empty() =>
            {
                let every_s = u32::try_from(every.as_secs()).unwrap_or(u32::MAX);
                let retries = u8::try_from(retries).unwrap_or(u8::MAX);
                Ok(SiteSpec { name, url, every_s, timeout, retries, enabled, tags, settings: None })
            }
            _ => Err(problems),
        }
    }

    /// The id that it names.
    ///
    /// # Errors
    /// It is no id.
    pub(super) fn site_id(&self) -> Result<Option<SiteId>, Problem> {
        let Some(setting) = &self.id else { return Ok(None) };
        match parse::count(&setting.value, &(1..=i64::MAX)) {
            Ok(id) => Ok(Some(SiteId(id))),
            Err(fault) => Err(Problem::with(self.key("id"), setting, fault)),
        }
    }

    /// How a problem calls `key` of this site.
    fn key(&self, key: &str) -> String {
        match self.name.as_ref().and_then(|name| name.value.as_str()) {
            Some(name) => format!("site {}: {key}", quoted(name.trim())),
            None => format!("site: {key}"),
        }
    }
}

/// One validation on its way.
struct Check<'a> {
    site: &'a RawSite,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn url(&mut self) -> Option<String> {
        match &self.site.url {
            Some(setting) => self.read("url", setting, |value| url::checked(parse::text(value)?)),
            None => self.missing("url", "write url = \"https://…\""),
        }
    }

    fn name(&mut self, url: Option<&str>, defaults: &SiteDefaults) -> Option<String> {
        match &self.site.name {
            Some(setting) => self.read("name", setting, |value| name(parse::text(value)?)),
            // Where the URL is bad, that is problem enough.
            None if defaults.name_from_url => url.map(default_name),
            None => self.missing("name", "give the site a name of its own"),
        }
    }

    fn timeout(&mut self, every: Option<Duration>, defaults: &SiteDefaults) -> Option<Duration> {
        let Some(setting) = &self.site.timeout else {
            return every.map(|every| defaults.timeout.min(every / 2));
        };
        let timeout = self.read("timeout", setting, timeout)?;
        if let Some(every) = every
            && timeout >= every
        {
            let message = format!("is not shorter than every = \"{}\"", format::duration(every));
            let fault = Fault::new(message, "shorten the timeout or lengthen the interval");
            self.problems.push(Problem::with(self.site.key("timeout"), setting, fault));
        }
        Some(timeout)
    }

    fn optional<T>(
        &mut self,
        key: &str,
        setting: &Option<Setting>,
        parse: impl FnOnce(&Value) -> Result<T, Fault>,
        default: T,
    ) -> Option<T> {
        match setting {
            Some(setting) => self.read(key, setting, parse),
            None => Some(default),
        }
    }

    fn read<T>(
        &mut self,
        key: &str,
        setting: &Setting,
        parse: impl FnOnce(&Value) -> Result<T, Fault>,
    ) -> Option<T> {
        let refuse = |fault| self.problems.push(Problem::with(self.site.key(key), setting, fault));
        parse(&setting.value).map_err(refuse).ok()
    }

    fn missing<T>(&mut self, key: &str, remedy: &str) -> Option<T> {
        self.problems
            .push(Problem::new(self.site.origin.clone(), "is missing", remedy).about(self.site.key(key)));
        None
    }
}

fn name(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    if name.is_empty() {
        return Err(Fault::new("is empty", "give the site a name of its own"));
    }
    if name.chars().any(char::is_control) {
        return Err(Fault::new("has a control character", "leave it out"));
    }
    let length = name.chars().count();
    if length > LONGEST_NAME {
        return Err(Fault::new(format!("has {length} characters, more than {LONGEST_NAME}"), "shorten it"));
    }
    Ok(name.to_owned())
}

fn every(value: &Value) -> Result<Duration, Fault> {
    let every = parse::duration_within(value, &(Duration::from_secs(1)..=LONGEST_EVERY))?;
    if every.subsec_nanos() != 0 {
        return Err(Fault::new("is no whole number of seconds", "slots lie on whole seconds: round it"));
    }
    Ok(every)
}

/// Whole milliseconds, which is what the database keeps.
fn timeout(value: &Value) -> Result<Duration, Fault> {
    let timeout = parse::duration_within(value, &(Duration::from_millis(1)..=LONGEST_EVERY))?;
    if timeout.subsec_nanos() % 1_000_000 != 0 {
        return Err(Fault::new("is no whole number of milliseconds", "round it"));
    }
    Ok(timeout)
}

/// Words without separators, so that every format can list them. A repeated word counts once.
fn tags(value: &Value) -> Result<Vec<String>, Fault> {
    let mut tags: Vec<String> = Vec::new();
    for tag in parse::list(value)? {
        let tag = tag.trim();
        let separates =
            |letter: char| letter.is_control() || letter.is_whitespace() || matches!(letter, ',' | ';');
        if tag.is_empty() || tag.contains(separates) {
            let message = format!("holds {}, which is no single word", quoted(tag));
            return Err(Fault::new(message, "leave out commas, semicolons, spaces and control characters"));
        }
        if tag.chars().count() > LONGEST_TAG {
            return Err(Fault::new(
                format!("holds a word of more than {LONGEST_TAG} characters"),
                "shorten it",
            ));
        }
        if !tags.iter().any(|known| known == tag) {
            tags.push(tag.to_owned());
        }
    }
    Ok(tags)
}

/// Refuses an id that its source has used before.
#[derive(Default)]
struct Ids(HashMap<SiteId, Origin>);

impl Ids {
    fn claim(&mut self, site: &RawSite) -> Result<Option<SiteId>, Problem> {
        let (Some(id), Some(setting)) = (site.site_id()?, &site.id) else { return Ok(None) };
        match self.0.insert(id, setting.origin.clone()) {
            None => Ok(Some(id)),
            Some(first) => {
                let fault = Fault::new(
                    format!("is already used in {}", first.short()),
                    "give each site an id of its own, or none",
                );
                Err(Problem::with(site.key("id"), setting, fault))
            }
        }
    }
}

/// Refuses a name that its source has used before.
#[derive(Default)]
struct Names(HashMap<String, Origin>);

impl Names {
    fn claim(&mut self, site: &RawSite) -> Result<(), Problem> {
        let Some(setting) = &site.name else { return Ok(()) };
        let Some(name) = setting.value.as_str().map(str::trim) else { return Ok(()) };
        if let Some(first) = self.0.get(name) {
            let fault = Fault::new(
                format!("is already used in {}", first.short()),
                "give each site a name of its own",
            );
            return Err(Problem::with("site: name", setting, fault));
        }
        self.0.insert(name.to_owned(), setting.origin.clone());
        Ok(())
    }
}
