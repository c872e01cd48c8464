//! What the program talks about: sites, jobs and results. Plain data, no I/O.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use self::settings::CheckSettings;
use crate::clock::Timestamp;
use crate::schedule::{Rhythm, Schedule};

pub mod bounds;
pub mod duration;
mod kind;
mod region;
mod result;
pub mod secret;
pub mod settings;
mod words;

pub use kind::{Kind, UrlForm};
pub use region::{NoRegion, Region};
pub use result::{Certificate, CheckResult, Evidence, Hop, Timings, Unchecked};
pub use words::{Freshness, Reason, Status, UnknownWord, Verdict};

/// Between two tries of a check, so that a blip of milliseconds does not fail both.
pub const PAUSE_BEFORE_RETRY: Duration = Duration::from_millis(250);

/// A row of `site_config`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SiteId(pub i64);

/// One moment at which one site is due in one region: the natural key of jobs and results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// When, in whole seconds.
    pub scheduled_at: Timestamp,
    /// Which site.
    pub site_id: SiteId,
    /// Where it is checked.
    pub region: Region,
}

impl Slot {
    /// From the columns of a table. `None` where this version does not know what stands for the region: the slot is another version's.
    pub(crate) fn stored(scheduled_at: Timestamp, site_id: i64, region: &str) -> Option<Self> {
        Some(Self { scheduled_at, site_id: SiteId(site_id), region: region.parse().ok()? })
    }
}

impl fmt::Display for SiteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A site as somebody declares it: in the file, in an import, or on the command line. Validated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteSpec {
    /// Unique, and the seed of the site's phase.
    pub name: String,
    /// Absolute: `http`, `https`, `tcp` or `tls`.
    pub url: String,
    /// How often it is checked.
    pub schedule: Schedule,
    /// For one try: all hops, headers and body. Shorter than the time between two slots.
    pub timeout: Duration,
    /// Further tries, each on a fresh connection, before a `down` stands.
    pub retries: u8,
    /// Whether it is scheduled.
    pub enabled: bool,
    /// Free words for grouping.
    pub tags: Vec<String>,
    /// How it is requested and what is expected; `None` where all of it is at its default.
    pub settings: Option<Box<CheckSettings>>,
}

impl SiteSpec {
    /// What a check needs to know.
    pub fn target(&self) -> Target {
        Target {
            url: self.url.clone(),
            timeout: self.timeout,
            retries: self.retries,
            settings: self.settings_text().map(Into::into),
        }
    }

    /// When it is due, where nothing else is known of it.
    pub(crate) fn rhythm(&self) -> Rhythm {
        self.schedule.rhythm(&self.name)
    }

    /// The URL without what nobody is to see.
    pub fn shown_url(&self) -> Cow<'_, str> {
        let hide = self.settings.as_ref().map_or(&[][..], |settings| &settings.request.hide);
        secret::shown_url(&self.url, hide)
    }

    /// The same, to be shown: see [`shown_url`](Self::shown_url) and [`CheckSettings::without_secrets`].
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        let settings = self.settings.as_ref().map(|settings| Box::new(settings.without_secrets()));
        Self { url: self.shown_url().into_owned(), settings, ..self.clone() }
    }

    /// `timeout` in milliseconds, as databases have it.
    pub(crate) fn timeout_ms(&self) -> i64 {
        i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX)
    }

    /// `tags` as a JSON array, as databases have them.
    pub(crate) fn tags_text(&self) -> String {
        serde_json::json!(self.tags).to_string()
    }

    /// [`CheckSettings::to_text`], where there are any.
    pub fn settings_text(&self) -> Option<String> {
        self.settings.as_ref().map(|settings| settings.to_text())
    }
}

/// A site to import, with the id that it had where it was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// `None`: the database gives it a new one.
    pub id: Option<SiteId>,
    /// What to watch.
    pub spec: SiteSpec,
}

impl From<SiteSpec> for Declared {
    fn from(spec: SiteSpec) -> Self {
        Self { id: None, spec }
    }
}

/// Who declared a site. Reconciling the file leaves sites of other origins alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// `[[site]]` in the configuration file.
    File,
    /// `[[site]]` in the configuration file, which it has left: nobody's, until a command or the file takes it over.
    Left,
    /// `sites add` or `sites import`.
    Command,
}

impl Origin {
    /// From the columns of `site_config`: a site of the file may have left it.
    pub(crate) fn stored(word: &str, has_left_file: bool) -> Self {
        match (word, has_left_file) {
            ("file", false) => Self::File,
            ("file", true) => Self::Left,
            _ => Self::Command,
        }
    }

    /// The word in `site_config.origin`. That a site has left the file stands in a column of its own.
    pub(crate) fn stored_word(self) -> &'static str {
        match self {
            Self::File | Self::Left => "file",
            Self::Command => "command",
        }
    }
}

/// A site as the database knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Never given to another site, even after removal.
    pub id: SiteId,
    /// What was declared.
    pub spec: SiteSpec,
    /// Counts its changes, from 1. Whoever changes it says which one he has seen.
    pub revision: u64,
    /// When it is due.
    pub rhythm: Rhythm,
    /// Who declared it.
    pub origin: Origin,
    /// The verdict that stands: that of the newest slot with one. `None` before the first.
    pub verdict: Option<Verdict>,
    /// Since which slot `verdict` has stood.
    pub since: Option<Timestamp>,
    /// Whether the verdict is of the newest slot.
    pub freshness: Freshness,
    /// The slot of the newest result, with a verdict or without.
    pub last_updated: Option<Timestamp>,
}

impl Site {
    /// In one word: the verdict that stands. Before there is one, why there is none; `None` before the first result.
    pub fn status(&self) -> Option<Status> {
        self.verdict.map(Status::from).or(self.freshness.fault())
    }
}

/// A slot that waits in the queue, as a claimer receives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Key in the queue.
    pub slot: Slot,
    /// Leases so far, this one included: 1 for the first.
    pub attempt: u32,
    /// The site's next slot, by the clock of the database that the job was claimed from. A second later the job is late.
    pub next_slot: Instant,
    /// What to request.
    pub target: Target,
}

impl Job {
    /// Slots are whole seconds, so a job is on time for the whole of the second in which the next slot comes.
    const GRACE: Duration = Duration::from_secs(1);

    /// Whether the next slot is over: then the job ends as `missed`, and not as a check.
    pub fn is_late(&self, now: Instant) -> bool {
        now >= self.next_slot + Self::GRACE
    }
}

/// What one check needs to know of its site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Absolute: `http`, `https`, `tcp` or `tls`.
    pub url: String,
    /// For one try.
    pub timeout: Duration,
    /// Further tries on a fresh connection before a `down` stands.
    pub retries: u8,
    /// The [`CheckSettings`] in JSON; `None` where all are at their defaults. A text, because most jobs
    /// go on to a probe that has seen the same one before.
    pub settings: Option<Arc<str>>,
}

impl Target {
    /// The URL without what nobody is to see.
    pub fn shown_url(&self) -> Cow<'_, str> {
        // Few sites hide something, and most settings need not be read for it.
        let hiding = self.settings.as_deref().filter(|text| text.contains("\"hide\""));
        let settings: Option<CheckSettings> = hiding.and_then(|text| serde_json::from_str(text).ok());
        secret::shown_url(&self.url, settings.as_ref().map_or(&[][..], |settings| &settings.request.hide))
    }
}
