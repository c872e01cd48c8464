//! Each key of a site: from what is written to what is meant, or to what is wrong with it.

use std::time::Duration;

use crate::config::fault::Fault;

use crate::config::problem::Problem;

use super::{EVERY_S, RawSite, SiteDefaults, name, settings, url};
use crate::config::quoted::quoted;
use crate::config::value::{Setting, Value};
use crate::config::{format, parse};
use crate::model::settings::CheckSettings;
use crate::schedule::{Cron, NoCron, Schedule};

const LONGEST_EVERY: Duration = Duration::from_hours(31 * 24);
const LONGEST_TAG: usize = 100;

/// One validation on its way.
pub(super) struct Check<'a> {
    pub(super) site: &'a RawSite,
    pub(super) problems: Vec<Problem>,
}

impl Check<'_> {
    pub(super) fn url(&mut self) -> Option<String> {
        match &self.site.url {
            Some(setting) => self.read("url", setting, |value| url::checked(parse::text(value)?)),
            None => self.missing("url", "write url = \"https://…\""),
        }
    }

    pub(super) fn name(&mut self, url: Option<&str>, defaults: &SiteDefaults) -> Option<String> {
        match &self.site.name {
            Some(setting) => self.read("name", setting, |value| name::checked(parse::text(value)?)),
            // Where the URL is bad, that is problem enough.
            None if defaults.name_from_url => url.map(name::default_name),
            None => self.missing("name", "give the site a name of its own"),
        }
    }

    /// An interval or a cron expression, and not both.
    pub(super) fn schedule(&mut self) -> Option<Schedule> {
        let site = self.site;
        let Some(schedule) = &site.schedule else {
            if let Some(zone) = &site.zone {
                let fault = Fault::new("stands without schedule", "an interval has no zone: remove it");
                self.problems.push(Problem::with(site.key("zone"), zone, fault));
            }
            let every = self.optional("every", &site.every, every, Duration::from_secs(EVERY_S.into()))?;
            return Some(Schedule::Every(u32::try_from(every.as_secs()).unwrap_or(u32::MAX)));
        };
        if site.every.is_some() {
            let fault =
                Fault::new("stands beside every", "keep one of the two: an interval, or a cron expression");
            self.problems.push(Problem::with(site.key("schedule"), schedule, fault));
        }
        let expression = self.read("schedule", schedule, |value| Ok(parse::text(value)?.to_owned()))?;
        let zone = match &site.zone {
            Some(zone) => Some(self.read("zone", zone, |value| Ok(parse::text(value)?.to_owned()))?),
            None => None,
        };
        let refuse = |NoCron { message, remedy, is_zone }| {
            let (key, setting) = match &site.zone {
                Some(zone) if is_zone => ("zone", zone),
                _ => ("schedule", schedule),
            };
            self.problems.push(Problem::with(site.key(key), setting, Fault::new(message, remedy)));
        };
        Cron::parse(&expression, zone.as_deref()).map_err(refuse).ok().map(Schedule::Cron)
    }

    /// Of a site with this schedule.
    pub(super) fn timeout(
        &mut self,
        schedule: Option<&Schedule>,
        defaults: &SiteDefaults,
    ) -> Option<Duration> {
        let every = schedule.map(Schedule::shortest);
        let Some(setting) = &self.site.timeout else {
            return every.map(|every| defaults.timeout_for(every));
        };
        let timeout = self.read("timeout", setting, timeout)?;
        if let Some(every) = every
            && timeout >= every
        {
            let every = format::duration(every);
            let fault = match schedule.and_then(Schedule::cron) {
                None => Fault::new(
                    format!("is not shorter than every = \"{every}\""),
                    "shorten the timeout or lengthen the interval",
                ),
                Some(_) => Fault::new(
                    format!("is not shorter than the {every} between two slots"),
                    "shorten the timeout or choose moments that lie further apart",
                ),
            };
            self.problems.push(Problem::with(self.site.key("timeout"), setting, fault));
        }
        Some(timeout)
    }

    pub(super) fn settings(
        &mut self,
        url: Option<&str>,
        timeout: Option<Duration>,
        defaults: &SiteDefaults,
    ) -> CheckSettings {
        let (settings, problems) = settings::read(&settings::Site { raw: self.site, url, timeout, defaults });
        self.problems.extend(problems);
        settings
    }

    pub(super) fn optional<T>(
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

pub(super) fn every(value: &Value) -> Result<Duration, Fault> {
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
pub(super) fn tags(value: &Value) -> Result<Vec<String>, Fault> {
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
