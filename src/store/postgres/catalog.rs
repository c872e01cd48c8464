//! The sites: reading what is watched, and deciding what changes.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use super::rows::{AllSites, SiteById, SiteRow, SitesByName, into_sites};
use super::{PostgresStore, changes};
use crate::database::{DatabaseError, statement};
use crate::model::{Declared, Origin, Site, SiteId, SiteSpec};
use crate::store::change_set::{self, ChangeSet, Changed};
use crate::store::{Catalog, Changes, Listed, Progress, SiteCount, Start, StoreError, refuse_file_site};

#[async_trait]
impl Catalog for PostgresStore {
    async fn count(&self) -> Result<SiteCount, StoreError> {
        let work = async |connection: &mut AsyncPgConnection| -> Result<_, DatabaseError> {
            Ok(CountSites {}.get_result::<(i64, i64)>(connection).await?)
        };
        let (enabled, paused) = self.database.call(work).await?;
        Ok(SiteCount { enabled: enabled as usize, paused: paused as usize })
    }

    async fn sites(&self) -> Result<Vec<Listed>, StoreError> {
        self.database.call(async |connection| all(connection).await).await
    }

    async fn site(&self, name: &str) -> Result<Site, StoreError> {
        let name = name.to_owned();
        self.database.call(async move |connection| Ok(find(connection, &name).await?.complete()?)).await
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

    async fn replace(&self, seen: &Site, spec: SiteSpec) -> Result<Site, StoreError> {
        let seen = seen.clone();
        self.database.transaction(async move |connection| replace(connection, &seen, spec).await).await
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

async fn all(connection: &mut AsyncPgConnection) -> Result<Vec<Listed>, StoreError> {
    Ok(into_sites(AllSites {}.load::<SiteRow>(connection).await?))
}

async fn by_names(connection: &mut AsyncPgConnection, names: Vec<String>) -> Result<Vec<Listed>, StoreError> {
    Ok(into_sites(SitesByName { names }.load::<SiteRow>(connection).await?))
}

async fn by_name(connection: &mut AsyncPgConnection, name: &str) -> Result<Option<Listed>, StoreError> {
    Ok(by_names(connection, vec![name.to_owned()]).await?.pop())
}

async fn find(connection: &mut AsyncPgConnection, name: &str) -> Result<Listed, StoreError> {
    match by_name(connection, name).await? {
        Some(site) => Ok(site),
        None => Err(unknown(connection, name).await?),
    }
}

async fn unknown(connection: &mut AsyncPgConnection, name: &str) -> Result<StoreError, StoreError> {
    let names: Vec<(String,)> = Names {}.load(connection).await?;
    let nearest = change_set::nearest(name, names.into_iter().map(|row| row.0));
    Ok(StoreError::UnknownSite { name: name.to_owned(), nearest })
}

async fn add(connection: &mut AsyncPgConnection, spec: SiteSpec, start: Start) -> Result<Site, StoreError> {
    alone(connection).await?;
    let name = spec.name.clone();
    let set = ChangeSet::add(by_name(connection, &name).await?, spec, start)?;
    changes::apply(connection, set, silently()).await?;
    Ok(find(connection, &name).await?.complete()?)
}

async fn replace(
    connection: &mut AsyncPgConnection,
    seen: &Site,
    spec: SiteSpec,
) -> Result<Site, StoreError> {
    alone(connection).await?;
    let name = spec.name.clone();
    let was = into_sites(SiteById { id: seen.id.0 }.load::<SiteRow>(connection).await?).pop();
    let was = was.ok_or_else(|| StoreError::ChangedMeanwhile(seen.spec.name.clone()))?;
    if name != was.known().spec.name && by_name(connection, &name).await?.is_some() {
        return Err(StoreError::Exists(vec![name]));
    }
    let changed = vec![Changed::replacing(was, seen, spec)?];
    changes::apply(connection, ChangeSet { changed, ..ChangeSet::by(Origin::Command) }, silently()).await?;
    Ok(find(connection, &name).await?.complete()?)
}

async fn remove(connection: &mut AsyncPgConnection, name: &str) -> Result<(), StoreError> {
    alone(connection).await?;
    let site = find(connection, name).await?;
    refuse_file_site(site.known())?;
    changes::remove(connection, site.known().id).await
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

statement!(for Pg:
    /// By sites, or by some that were removed. Ranges of retired ids do not overlap.
    TakenIds { ids: Vec<i64> as Array<BigInt> } -> (BigInt,) =
    "SELECT named.id FROM unnest(" (ids: Array<BigInt>) ") AS named (id)
     WHERE EXISTS (SELECT 1 FROM site_config AS site WHERE site.id = named.id)
        OR (SELECT last_id FROM retired_id WHERE first_id <= named.id ORDER BY first_id DESC LIMIT 1) >= named.id"
);
