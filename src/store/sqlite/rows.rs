//! How a site looks in the tables.

use std::time::Duration;

use diesel::sql_types::{BigInt, Integer, Nullable, Text};

use crate::database::rows::from_seconds;
use crate::database::statement;
use crate::model::{Freshness, Origin, Site, SiteId, SiteSpec};
use crate::schedule::Schedule;
use crate::store::Listed;
use crate::store::listed::Columns;
use crate::store::rhythm;

pub(super) type SiteRow = (
    (i64, String, String, i32, i32, i64, i32, i64, Option<i64>),
    (
        i32,
        String,
        String,
        Option<String>,
        Option<String>,
        Option<i64>,
        Option<i64>,
        Option<String>,
        Option<String>,
    ),
);

type SiteSql = (
    (BigInt, Text, Text, Integer, Integer, BigInt, Integer, BigInt, Nullable<BigInt>),
    (
        Integer,
        Text,
        Text,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<Text>,
        Nullable<Text>,
    ),
);

statement!(AllSites {} -> SiteSql =
    "SELECT site.id, site.name, site.url, site.every_s, site.phase_s, site.timeout_ms, site.retries, site.revision,
            site.left_file_at, site.enabled, site.tags, site.origin, site.settings, now.last_status, now.last_updated, now.since, now.freshness, site.cron
     FROM site_config AS site JOIN sites AS now ON now.site_id = site.id ORDER BY site.name");

statement!(SiteByName { name: String as Text } -> SiteSql =
    "SELECT site.id, site.name, site.url, site.every_s, site.phase_s, site.timeout_ms, site.retries, site.revision,
            site.left_file_at, site.enabled, site.tags, site.origin, site.settings, now.last_status, now.last_updated, now.since, now.freshness, site.cron
     FROM site_config AS site JOIN sites AS now ON now.site_id = site.id WHERE site.name = " (name: Text));

statement!(SiteById { id: i64 as BigInt } -> SiteSql =
    "SELECT site.id, site.name, site.url, site.every_s, site.phase_s, site.timeout_ms, site.retries, site.revision,
            site.left_file_at, site.enabled, site.tags, site.origin, site.settings, now.last_status, now.last_updated, now.since, now.freshness, site.cron
     FROM site_config AS site JOIN sites AS now ON now.site_id = site.id WHERE site.id = " (id: BigInt));

impl SiteByName {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

pub(super) fn into_site(row: SiteRow) -> Listed {
    let (
        (id, name, url, every_s, phase_s, timeout_ms, retries, revision, left_file_at),
        (enabled, tags, origin, settings, last_status, updated, since, freshness, cron),
    ) = row;
    let rhythm = rhythm::Columns { every_s, phase_s, cron };
    let site = Site {
        id: SiteId(id),
        spec: SiteSpec {
            name,
            url,
            schedule: Schedule::Every(rhythm.interval().every_s),
            timeout: Duration::from_millis(timeout_ms.unsigned_abs()),
            retries: 0,
            enabled: enabled != 0,
            tags: Vec::new(),
            settings: None,
        },
        revision: revision.unsigned_abs(),
        rhythm: rhythm.interval().into(),
        origin: Origin::stored(&origin, left_file_at.is_some()),
        verdict: None,
        freshness: Freshness::Waiting,
        last_updated: updated.map(from_seconds),
        since: since.map(from_seconds),
    };
    Listed::read(site, Columns { rhythm, retries, tags, settings, last_status, freshness })
}
