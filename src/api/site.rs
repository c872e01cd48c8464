//! A site: its keys in the configuration file, and what the database knows of it.

use serde::Serialize;

use super::{Failure, time};
use crate::config::SiteFields;
use crate::model::{Freshness, Origin, SiteId, Status};
use crate::store::Listed;

/// A site.
#[derive(Serialize)]
pub struct Site<'a> {
    id: SiteId,
    #[serde(flatten)]
    fields: SiteFields<'a>,
    /// The second inside the interval at which its slots lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<u32>,
    /// The verdict that stands; before there is one, why there is none.
    status: Option<Status>,
    since: Option<String>,
    /// Of the newest slot.
    freshness: Freshness,
    /// The slot of the newest result.
    last_updated: Option<String>,
    origin: Origin,
    /// How often it was changed.
    revision: u64,
    /// What of it this version cannot read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
}

impl<'a> From<&'a Listed> for Site<'a> {
    fn from(listed: &'a Listed) -> Self {
        let site = listed.known();
        Self {
            id: site.id,
            fields: SiteFields::from(&site.spec),
            phase: site.rhythm.phase_s(),
            status: site.status(),
            since: site.since.map(time),
            freshness: site.freshness,
            last_updated: site.last_updated.map(time),
            origin: site.origin,
            revision: site.revision,
            unreadable: listed.unreadable(),
        }
    }
}

/// A site, and its last result that was not up.
#[derive(Serialize)]
pub struct Shown<'a> {
    /// The site, whose keys stand at the top.
    #[serde(flatten)]
    pub site: Site<'a>,
    /// Left out where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<Failure<'a>>,
}
