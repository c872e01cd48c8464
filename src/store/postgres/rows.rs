//! How a site looks in the tables.

use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};

use crate::clock::Timestamp;
use crate::database::statement;
use crate::model::{Freshness, Origin, Site, SiteId, SiteSpec};
use crate::schedule::Schedule;
use crate::store::Listed;
use crate::store::listed::Columns;
use crate::store::rhythm;

pub(super) type SiteRow = (
    (i64, String, String, i32, i32, i64, i32, i64, Option<Timestamp>),
    (
        bool,
        String,
        String,
        Option<String>,
        Option<String>,
        Option<Timestamp>,
        Option<Timestamp>,
        Option<String>,
        Option<String>,
    ),
);

pub(super) type SiteSql = (
    (BigInt, Text, Text, Integer, Integer, BigInt, Integer, BigInt, Nullable<Timestamptz>),
    (
        Bool,
        Text,
        Text,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Timestamptz>,
        Nullable<Timestamptz>,
        Nullable<Text>,
        Nullable<Text>,
    ),
);

statement!(for Pg: AllSites {} -> SiteSql =
    "SELECT site.id, site.name, site.url, site.every_s, site.phase_s, site.timeout_ms, site.retries, site.revision,
            site.left_file_at, site.enabled, site.tags::text, site.origin, site.settings::text, now.last_status, now.last_updated, now.since, now.freshness, site.cron
     FROM site_config AS site JOIN sites AS now ON now.site_id = site.id ORDER BY site.name");

statement!(for Pg: SitesByName { names: Vec<String> as Array<Text> } -> SiteSql =
    "SELECT site.id, site.name, site.url, site.every_s, site.phase_s, site.timeout_ms, site.retries, site.revision,
            site.left_file_at, site.enabled, site.tags::text, site.origin, site.settings::text, now.last_status, now.last_updated, now.since, now.freshness, site.cron
     FROM site_config AS site JOIN sites AS now ON now.site_id = site.id WHERE site.name = ANY(" (names: Array<Text>) ")");

statement!(for Pg: SiteById { id: i64 as BigInt } -> SiteSql =
    "SELECT site.id, site.name, site.url, site.every_s, site.phase_s, site.timeout_ms, site.retries, site.revision,
            site.left_file_at, site.enabled, site.tags::text, site.origin, site.settings::text, now.last_status, now.last_updated, now.since, now.freshness, site.cron
     FROM site_config AS site JOIN sites AS now ON now.site_id = site.id WHERE site.id = " (id: BigInt));

pub(super) fn into_site(row: SiteRow) -> Listed {
    let (
        (id, name, url, every_s, phase_s, timeout_ms, retries, revision, left_file_at),
        (enabled, tags, origin, settings, last_status, last_updated, since, freshness, cron),
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
            enabled,
            tags: Vec::new(),
            settings: None,
        },
        revision: revision.unsigned_abs(),
        rhythm: rhythm.interval().into(),
        origin: Origin::stored(&origin, left_file_at.is_some()),
        verdict: None,
        freshness: Freshness::Waiting,
        last_updated,
        since,
    };
    Listed::read(site, Columns { rhythm, retries, tags, settings, last_status, freshness })
}

pub(super) fn into_sites(rows: Vec<SiteRow>) -> Vec<Listed> {
    rows.into_iter().map(into_site).collect()
}

/// PostgreSQL's text has no NUL.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
