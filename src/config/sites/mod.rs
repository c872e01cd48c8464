//! Sites as people declare them, in whatever form, and the one validation they all go through.

mod check;
mod collector;
mod export;
mod fields;
mod import;
mod json;
mod name;
mod number;
mod rows;
mod settings;
mod table;
mod unique;
mod url;

use std::time::Duration;

use super::problem::Problem;

use super::quoted::quoted;
use super::sections::CheckerConfig;
use super::value::{Origin, Setting, Value};
use super::{format, parse};
use crate::model::secret::behind_host;
use crate::model::{PAUSE_BEFORE_RETRY, SiteId, SiteSpec};

use check::Check;
pub use collector::Import;
pub use export::{ExportError, SiteFields, write_sites};
pub(super) use fields::from_file;
pub use import::{Format, parse_sites, read_sites};
pub use name::default_name;
pub use number::has_large_number;
pub use table::{Key, Shape};

const EVERY_S: u32 = 60;

/// Further tries of a request that changes nothing, so that a blip does not wake anybody.
const RETRIES: u8 = 1;

/// Between two tries, and for a check that begins late: a tenth of the interval, at most this.
const SLACK: Duration = Duration::from_secs(1);

/// What a site gets that does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteDefaults {
    /// `checker.timeout`: the most that [`SiteDefaults::timeout_for`] gives.
    pub timeout: Duration,
    /// `checker.body_limit`: a larger body cannot be told from one that ends there.
    pub body_limit: u64,
    /// A site without a name is called after its URL, see [`default_name`], rather than refused.
    pub name_from_url: bool,
}

impl SiteDefaults {
    /// For files: the name is required.
    pub fn of(checker: &CheckerConfig) -> Self {
        Self { timeout: checker.timeout, body_limit: checker.body_limit as u64, name_from_url: false }
    }

    /// The timeout of a site that does not say: [`SiteDefaults::timeout`], or less, such that the default retry and the pause
    /// before it end within `every` even where the check begins late. Whole tenths of a second.
    pub fn timeout_for(&self, every: Duration) -> Duration {
        let slack = SLACK.min(every / 10) + PAUSE_BEFORE_RETRY;
        let room = every.saturating_sub(slack) / (u32::from(RETRIES) + 1);
        let tenths = u64::try_from(room.as_millis() / 100).unwrap_or(u64::MAX).max(1);
        self.timeout.min(Duration::from_millis(tenths.saturating_mul(100)))
    }

    /// Whether a site with this timeout may have left it to the defaults, also to those of versions up to 0.1, which were half
    /// of the interval.
    pub fn is_timeout_for(&self, every: Duration, timeout: Duration) -> bool {
        timeout == self.timeout_for(every) || timeout == self.timeout.min(every / 2)
    }

    /// The retries of a site that does not say. What may change something is not repeated unasked (RFC 9110, section 9.2.2):
    /// that a request was not answered does not tell that it was not carried out.
    pub fn retries_for(method: &str) -> u8 {
        if matches!(method, "GET" | "HEAD" | "OPTIONS") { RETRIES } else { 0 }
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
    /// Absolute: `http`, `https`, `tcp` or `tls`.
    pub url: Option<Setting>,
    /// A duration of whole seconds.
    pub every: Option<Setting>,
    /// A cron expression, instead of `every`.
    pub schedule: Option<Setting>,
    /// The time zone of `schedule`.
    pub zone: Option<Setting>,
    /// A duration of whole milliseconds.
    pub timeout: Option<Setting>,
    /// A whole number.
    pub retries: Option<Setting>,
    /// True or false.
    pub enabled: Option<Setting>,
    /// A list; as text, comma-separated.
    pub tags: Option<Setting>,
    /// A text, where the URL is `tcp` or `tls`.
    pub send: Option<Setting>,
    /// A table with the keys of `[site.request]`; texts inside of it are as in files.
    pub request: Option<Setting>,
    /// The same for `[site.tls]`.
    pub tls: Option<Setting>,
    /// The same for `[site.expect]`; a text, where the URL is `tcp` or `tls`, is what the answer contains.
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
            schedule: None,
            zone: None,
            timeout: None,
            retries: None,
            enabled: None,
            tags: None,
            send: None,
            request: None,
            tls: None,
            expect: None,
        }
    }

    /// What it says under `key`. `None`: a site has no such key.
    pub fn field(&mut self, key: &str) -> Option<&mut Option<Setting>> {
        Some(match key {
            "name" => &mut self.name,
            "url" => &mut self.url,
            "every" => &mut self.every,
            "schedule" => &mut self.schedule,
            "zone" => &mut self.zone,
            "timeout" => &mut self.timeout,
            "retries" => &mut self.retries,
            "enabled" => &mut self.enabled,
            "tags" => &mut self.tags,
            "send" => &mut self.send,
            "id" => &mut self.id,
            "request" => &mut self.request,
            "tls" => &mut self.tls,
            "expect" => &mut self.expect,
            _ => return None,
        })
    }

    /// A declaration that says all that `spec` says, to be changed and validated again: for `sites set`.
    pub fn from_spec(spec: &SiteSpec, origin: Origin) -> Self {
        let say = |value: toml::Value| Some(Setting::new(Value::Typed(value), origin.clone()));
        let settings = spec.settings.as_deref();
        Self {
            id: None,
            name: say(spec.name.as_str().into()),
            url: say(spec.url.as_str().into()),
            every: spec.schedule.every_s().and_then(|every_s| say(format::seconds(every_s).into())),
            schedule: spec.schedule.cron().and_then(|cron| say(cron.expression().into())),
            zone: spec.schedule.cron().and_then(|cron| say(cron.zone().into())),
            timeout: say(format::duration(spec.timeout).into()),
            retries: say(i64::from(spec.retries).into()),
            enabled: say(spec.enabled.into()),
            tags: say(spec.tags.clone().into()),
            send: settings.and_then(|settings| say(settings.tcp.as_ref()?.send.as_deref()?.into())),
            request: settings.and_then(|settings| say(table(&settings.request))),
            tls: settings.and_then(|settings| say(table(&settings.tls))),
            expect: settings.and_then(|settings| say(table(&settings.expect))),
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
        let schedule = check.schedule();
        let timeout = check.timeout(schedule.as_ref(), defaults);
        let enabled = check.optional("enabled", &self.enabled, parse::bool, true);
        let tags = check.optional("tags", &self.tags, check::tags, Vec::new());
        let mut settings = check.settings(url.as_deref(), timeout, defaults);
        settings.request.hide(self.expanded_in_url(url.as_deref()));
        let retries = i64::from(SiteDefaults::retries_for(&settings.request.method));
        let retries =
            check.optional("retries", &self.retries, |value| parse::count(value, &(0..=10)), retries);
        let problems = check.problems;
        match (name, url, schedule, timeout, retries, enabled, tags) {
            (
                Some(name),
                Some(url),
                Some(schedule),
                Some(timeout),
                Some(retries),
                Some(enabled),
                Some(tags),
            ) if problems.is_empty() => {
                let retries = u8::try_from(retries).unwrap_or(u8::MAX);
                Ok(SiteSpec {
                    name,
                    url,
                    schedule,
                    timeout,
                    retries,
                    enabled,
                    tags,
                    settings: settings.if_any(),
                })
            }
            _ => Err(problems),
        }
    }

    /// What `${NAME}` stood for in the URL, behind its host.
    fn expanded_in_url(&self, url: Option<&str>) -> Vec<String> {
        let expanded = self.url.as_ref().map_or(&[][..], |setting| &setting.expanded);
        url.map(|url| behind_host(url, expanded)).unwrap_or_default()
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

/// What cannot be said becomes a text, which the validation refuses rather than loses.
fn table(settings: &impl serde::Serialize) -> toml::Value {
    complete_table(settings).unwrap_or_else(toml::Value::from)
}

/// All that `settings` say, in values of TOML, or why they hold none.
fn complete_table(settings: &impl serde::Serialize) -> Result<toml::Value, String> {
    let text = serde_json::to_string(settings).map_err(|error| error.to_string())?;
    if number::has_large_number(&text) {
        return Err("a number of more than 64 bits".to_owned());
    }
    serde_json::from_str(&text).map(json::complete).map_err(|error| error.to_string())
}
