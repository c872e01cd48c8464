//! The sites: reading what is watched, and deciding what changes.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use super::rows::{AllSites, SiteRow, SitesByName, into_sites};
use super::{PostgresStore, changes};
use crate::database::{DatabaseError, statement};
use crate::model::{Declared, Origin, Site, SiteId, SiteSpec};
use crate::store::change_set::{self, ChangeSet, Changed, New};
use crate::store::{Catalog, Changes, Progress, SiteCount, Start, StoreError, refuse_file_site};

#[async_trait]
impl Catalog for PostgresStore {
    async fn count(&self) -> Result<SiteCount, StoreError> {
        let work = async |connection: &mut AsyncPgConnection| -> Result<_, DatabaseError> {
            Ok(CountSites {}.get_result::<(i64, i64)>(connection).await?)
        };
        let (enabled, paused) = self.database.call(work).await?;
        Ok(SiteCount { enabled: enabled as usize, paused: paused as usize })
    }

    async fn sites(&self) -> Result<Vec<Site>, StoreError> {
        self.database.call(async |connection| all(connection).await).await
    }

    async fn site(&self, name: &str) -> Result<Site, StoreError> {
        let name = name.to_owned();
        self.database.call(async move |connection| find(connection, &name).await).await
    }

    async fn add(&self, spec: SiteSpec, start: Start) -> Result<Site, StoreError> {
        self.database.transaction(async move |connection| add(connection, spec, start).await).await
    }

    async fn import(
        &self,
        sites: Vec<Declared>,
        update: bool,
        progress: Progress,
    ) -> Result<Changes, StoreError> {
        let work =
            async move |connection: &mut AsyncPgConnection| import(connection, sites, update, progress).await;
        self.database.bulk_transaction(work).await
    }

    async fn change(&self, spec: SiteSpec) -> Result<Site, StoreError> {
        self.database.transaction(async move |connection| change(connection, spec).await).await
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.database.transaction(async move |connection| remove(connection, &name).await).await
    }

    async fn reconcile(&self, declared: Vec<SiteSpec>) -> Result<Changes, StoreError> {
        self.database.bulk_transaction(async move |connection| reconcile(connection, declared).await).await
    }
}

/// One change after the other, also those of other processes: two that start with the same file would add the same sites. Whoever
/// waits here waits for an import at worst.
async fn alone(connection: &mut AsyncPgConnection) -> Result<(), StoreError> {
    const ALONE: &str = "SET LOCAL lock_timeout = '25s'; SELECT pg_advisory_xact_lock(7075746978)";
    Ok(connection.batch_execute(ALONE).await?)
}

fn silently() -> Progress {
    Arc::new(|_| {})
}

async fn all(connection: &mut AsyncPgConnection) -> Result<Vec<Site>, StoreError> {
    into_sites(AllSites {}.load::<SiteRow>(connection).await?)
}

async fn by_names(connection: &mut AsyncPgConnection, names: Vec<String>) -> Result<Vec<Site>, StoreError> {
    into_sites(SitesByName { names }.load::<SiteRow>(connection).await?)
}

async fn find(connection: &mut AsyncPgConnection, name: &str) -> Result<Site, StoreError> {
    if let Some(site) = by_names(connection, vec![name.to_owned()]).await?.pop() {
        return Ok(site);
    }
    let names: Vec<(String,)> = Names {}.load(connection).await?;
    let nearest = change_set::nearest(name, names.into_iter().map(|row| row.0));
    Err(StoreError::UnknownSite { name: name.to_owned(), nearest })
}

async fn add(connection: &mut AsyncPgConnection, spec: SiteSpec, start: Start) -> Result<Site, StoreError> {
    alone(connection).await?;
    let name = spec.name.clone();
    if !by_names(connection, vec![name.clone()]).await?.is_empty() {
        return Err(StoreError::Exists(vec![name]));
    }
    let new = vec![New { id: None, spec, start }];
    changes::apply(connection, ChangeSet { new, ..ChangeSet::by(Origin::Command) }, silently()).await?;
    find(connection, &name).await
}

async fn change(connection: &mut AsyncPgConnection, spec: SiteSpec) -> Result<Site, StoreError> {
    alone(connection).await?;
    let name = spec.name.clone();
    let was = find(connection, &name).await?;
    refuse_file_site(&was)?;
    let changed = vec![Changed { was, spec, start: Start::AtOnce }];
    changes::apply(connection, ChangeSet { changed, ..ChangeSet::by(Origin::Command) }, silently()).await?;
    find(connection, &name).await
}

async fn remove(connection: &mut AsyncPgConnection, name: &str) -> Result<(), StoreError> {
    alone(connection).await?;
    let site = find(connection, name).await?;
    refuse_file_site(&site)?;
    changes::remove(connection, site.id).await
}

async fn import(
    connection: &mut AsyncPgConnection,
    sites: Vec<Declared>,
    update: bool,
    progress: Progress,
) -> Result<Changes, StoreError> {
    alone(connection).await?;
    let names = sites.iter().map(|site| site.spec.name.clone()).collect();
    let known = by_names(connection, names).await?;
    let ids: Vec<i64> = sites.iter().filter_map(|site| site.id).map(|id| id.0).collect();
    let taken: Vec<(i64,)> = TakenIds { ids }.load(connection).await?;
    let taken: HashSet<SiteId> = taken.into_iter().map(|row| SiteId(row.0)).collect();
    let (set, changes) = ChangeSet::import(sites, known, taken, update)?;
    changes::apply(connection, set, progress).await?;
    Ok(changes)
}

async fn reconcile(
    connection: &mut AsyncPgConnection,
    declared: Vec<SiteSpec>,
) -> Result<Changes, StoreError> {
    alone(connection).await?;
    let (set, changes) = ChangeSet::reconcile(declared, all(connection).await?);
    changes::apply(connection, set, silently()).await?;
    Ok(changes)
}

statement!(for Pg: CountSites {} -> (BigInt, BigInt) =
    "SELECT count(*) FILTER (WHERE enabled), count(*) FILTER (WHERE NOT enabled) FROM site_config");

statement!(for Pg: Names {} -> (Text,) = "SELECT name FROM site_config");

statement!(for Pg: TakenIds { ids: Vec<i64> as Array<BigInt> } -> (BigInt,) =
    "SELECT id FROM site_config WHERE id = ANY(" (ids: Array<BigInt>) ")");
