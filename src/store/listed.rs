//! A site as far as this version can read its row: during an upgrade a newer version may have written what this one does not
//! know, and one such row must not take the others with it.

use super::rhythm;
use crate::model::secret::without_values;
use crate::model::settings::CheckSettings;
use crate::model::{Freshness, Site, Status};

/// A site in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    known: Site,
    /// What of its schedule, retries, tags and settings cannot be read.
    unread: Option<String>,
    /// The word for its status, where that is unknown.
    foreign_status: Option<String>,
}

impl From<Site> for Listed {
    fn from(known: Site) -> Self {
        Self { known, unread: None, foreign_status: None }
    }
}

/// The columns of a site that a newer version may write otherwise.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) rhythm: rhythm::Columns,
    pub(super) retries: i32,
    pub(super) tags: String,
    pub(super) settings: Option<String>,
    pub(super) last_status: Option<String>,
    pub(super) freshness: Option<String>,
}

/// From the columns of `sites`. An older version writes our faults into the status, and a newer one may have words for either that
/// this one does not know.
pub(super) fn freshness(word: Option<&str>, status: Option<Status>) -> Freshness {
    match (status.map(Freshness::from), word) {
        (Some(fault @ (Freshness::Missed | Freshness::Unknown)), _) => fault,
        (_, Some(word)) => word.parse().unwrap_or(Freshness::Unknown),
        (of_status, None) => of_status.unwrap_or(Freshness::Waiting),
    }
}

impl Listed {
    /// `site`, of which this version cannot read something.
    #[cfg(test)]
    pub(crate) fn unread(site: Site, why: &str) -> Self {
        Self { known: site, unread: Some(why.to_owned()), foreign_status: None }
    }

    /// `site` with what `columns` say.
    pub(super) fn read(mut site: Site, columns: Columns) -> Self {
        let mut unread = Vec::new();
        match columns.rhythm.read() {
            Ok(rhythm) => {
                site.spec.schedule = rhythm.schedule();
                site.rhythm = rhythm;
            }
            Err(error) => unread.push(format!("schedule: {}", error.message)),
        }
        match u8::try_from(columns.retries) {
            Ok(retries) => site.spec.retries = retries,
            Err(_) => unread.push(format!("retries: {} are more than this version makes", columns.retries)),
        }
        match serde_json::from_str(&columns.tags) {
            Ok(tags) => site.spec.tags = tags,
            Err(error) => unread.push(format!("tags: {}", without_values(&error))),
        }
        match columns.settings.as_deref().map(serde_json::from_str::<CheckSettings>).transpose() {
            Ok(settings) => site.spec.settings = settings.map(Box::new),
            Err(error) => unread.push(format!("settings: {}", without_values(&error))),
        }
        let status = columns.last_status.as_deref().map(Status::of_word);
        site.verdict = status.and_then(Status::verdict);
        site.freshness = freshness(columns.freshness.as_deref(), status);
        let foreign_status = columns.last_status.filter(|word| word.parse::<Status>().is_err());
        Self { known: site, unread: (!unread.is_empty()).then(|| unread.join("; ")), foreign_status }
    }

    /// What could be read. Retries, tags and settings that could not are left out, so this must not be written back.
    pub fn known(&self) -> &Site {
        &self.known
    }

    /// What could not be read, for people.
    pub fn unreadable(&self) -> Option<String> {
        let status = self.foreign_status.as_ref().map(|word| format!("status: unknown word {word:?}"));
        let parts: Vec<String> = self.unread.iter().cloned().chain(status).collect();
        (!parts.is_empty()).then(|| format!("{}, which a newer version may have written", parts.join("; ")))
    }

    /// The site, complete. A status that is unknown is no part of what was declared, and not in the way.
    ///
    /// # Errors
    /// Something that was declared cannot be read: the site as it is, see [`unreadable`](Self::unreadable).
    pub fn complete(self) -> Result<Site, Box<Self>> {
        if self.unread.is_some() { Err(Box::new(self)) } else { Ok(self.known) }
    }

    pub(super) fn into_known(self) -> Site {
        self.known
    }

    /// Whether it was read, and says this.
    pub(super) fn declares(&self, spec: &crate::model::SiteSpec) -> bool {
        self.unread.is_none() && self.known.spec == *spec
    }
}
