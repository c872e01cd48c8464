//! The sites: reading what is watched, and deciding what changes.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::SqliteStore;
use super::changes::{apply, update};
use super::rows::{AllSites, SiteById, SiteByName, SiteRow, into_site};
use crate::database::sqlite::Durability;
use crate::database::{set_back, statement};
use crate::model::{Declared, Origin, Site, SiteId, SiteSpec};
use crate::schedule;
use crate::store::change_set::{self, ChangeSet, Changed};
use crate::store::{Catalog, Changes, Listed, Progress, SiteCount, Start, StoreError, refuse_file_site};

#[async_trait]
impl Catalog for SqliteStore {
    async fn count(&self) -> Result<SiteCount, StoreError> {
        let (all, enabled): (i64, i64) =
            self.database.read(|connection| Ok(CountSites {}.get_result(connection)?)).await?;
        Ok(SiteCount { enabled: enabled as usize, paused: (all - enabled) as usize })
    }

    async fn sites(&self) -> Result<Vec<Listed>, StoreError> {
        self.read(all).await
    }

    async fn site(&self, name: &str) -> Result<Site, StoreError> {
        let name = name.to_owned();
        self.read(move |connection| Ok(find(connection, &name)?.complete()?)).await
    }

    async fn add(&self, spec: SiteSpec, start: Start) -> Result<Site, StoreError> {
        self.write(move |connection, now| {
            let name = spec.name.clone();
            let set = ChangeSet::add(by_name(connection, &name)?, spec, start)?;
            apply(connection, now, &set, &silently())?;
            Ok(find(connection, &name)?.complete()?)
        })
        .await
    }

    async fn import(
        &self,
        sites: Vec<Declared>,
        update: bool,
        progress: Progress,
    ) -> Result<Changes, StoreError> {
        self.write(move |connection, now| import(connection, now, sites, update, &progress)).await
    }

    async fn replace(&self, seen: &Site, spec: SiteSpec) -> Result<Site, StoreError> {
        let seen = seen.clone();
        self.write(move |connection, now| replace(connection, now, &seen, spec)).await
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |connection, _| {
            let site = find(connection, &name)?;
            refuse_file_site(site.known())?;
            Delete { id: site.known().id.0 }.execute(connection)?;
            Ok(())
        })
        .await
    }

    async fn reconcile(&self, declared: Vec<SiteSpec>) -> Result<Changes, StoreError> {
        self.write(move |connection, now| reconcile(connection, now, declared)).await
    }
}

impl SqliteStore {
    /// A read in one consistent state. The outer error is the database's, the inner one the work's.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.database.read(move |connection| Ok(work(connection))).await?
    }

    /// A change in one transaction, at a moment in seconds. An error of the work undoes it all.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteConnection, i64) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let clock = self.clock.clone();
        let work = move |connection: &mut SqliteConnection| {
            let now = moment(connection, clock.now_s())?;
            work(connection, now)
        };
        self.database.transaction(Durability::Full, work).await
    }
}

/// The moment of a change when the clock reads `now`. A clock that was set back, and that no tick has seen yet, is followed here:
/// a tick that came later would pass over the slots since the change.
fn moment(connection: &mut SqliteConnection, now: i64) -> Result<i64, StoreError> {
    let (last_tick,): (Option<i64>,) = LastTick {}.get_result(connection)?;
    let moment = schedule::moment(now, last_tick);
    if let Some(by_s) = last_tick.map(|last| last - moment).filter(|by_s| *by_s > 0) {
        set_back::sqlite(connection, moment, by_s)?;
        log::warn!(by_s; "the clock was set back; slots go on from the new time");
    }
    Ok(moment)
}

fn all(connection: &mut SqliteConnection) -> Result<Vec<Listed>, StoreError> {
    Ok(AllSites {}.load::<SiteRow>(connection)?.into_iter().map(into_site).collect())
}

fn by_name(connection: &mut SqliteConnection, name: &str) -> Result<Option<Listed>, StoreError> {
    Ok(SiteByName::new(name).get_result::<SiteRow>(connection).optional()?.map(into_site))
}

fn by_id(connection: &mut SqliteConnection, SiteId(id): SiteId) -> Result<Option<Listed>, StoreError> {
    Ok(SiteById { id }.get_result::<SiteRow>(connection).optional()?.map(into_site))
}

fn find(connection: &mut SqliteConnection, name: &str) -> Result<Listed, StoreError> {
    match by_name(connection, name)? {
        Some(site) => Ok(site),
        None => Err(unknown(connection, name)?),
    }
}

fn unknown(connection: &mut SqliteConnection, name: &str) -> QueryResult<StoreError> {
    let names: Vec<(String,)> = Names {}.load(connection)?;
    let nearest = change_set::nearest(name, names.into_iter().map(|row| row.0));
    Ok(StoreError::UnknownSite { name: name.to_owned(), nearest })
}

fn silently() -> Progress {
    Arc::new(|_| {})
}

fn replace(
    connection: &mut SqliteConnection,
    now: i64,
    seen: &Site,
    spec: SiteSpec,
) -> Result<Site, StoreError> {
    let gone = || StoreError::ChangedMeanwhile(seen.spec.name.clone());
    let was = by_id(connection, seen.id)?.ok_or_else(gone)?;
    let name = spec.name.clone();
    if name != was.known().spec.name && by_name(connection, &name)?.is_some() {
        return Err(StoreError::Exists(vec![name]));
    }
    update(connection, now, Origin::Command, &Changed::replacing(was, seen, spec)?)?;
    Ok(find(connection, &name)?.complete()?)
}

fn import(
    connection: &mut SqliteConnection,
    now: i64,
    sites: Vec<Declared>,
    may_update: bool,
    progress: &Progress,
) -> Result<Changes, StoreError> {
    let (mut known, mut taken) = (Vec::new(), HashSet::new());
    for Declared { id, spec } in &sites {
        known.extend(by_name(connection, &spec.name)?);
        if let Some(id) = id
            && is_taken(connection, *id)?
        {
            taken.insert(*id);
        }
    }
    let (set, changes) = ChangeSet::import(sites, known, taken, may_update)?;
    apply(connection, now, &set, progress)?;
    Ok(changes)
}

fn is_taken(connection: &mut SqliteConnection, id: SiteId) -> Result<bool, StoreError> {
    let (is_taken,): (bool,) = IsTaken { id: id.0 }.get_result(connection)?;
    Ok(is_taken)
}

fn reconcile(
    connection: &mut SqliteConnection,
    now: i64,
    declared: Vec<SiteSpec>,
) -> Result<Changes, StoreError> {
    let (set, changes) = ChangeSet::reconcile(declared, all(connection)?);
    apply(connection, now, &set, &silently())?;
    Ok(changes)
}

statement!(CountSites {} -> (BigInt, BigInt) = "SELECT count(*), coalesce(sum(enabled), 0) FROM site_config");

statement!(LastTick {} -> (Nullable<BigInt>,) = "SELECT last_tick FROM scheduler_state WHERE id = 1");

statement!(Names {} -> (Text,) = "SELECT name FROM site_config");

statement!(
    /// By a site, or by one that was removed. Ranges of retired ids do not overlap.
    IsTaken { id: i64 as BigInt } -> (Bool,) =
    "SELECT EXISTS (SELECT 1 FROM site_config WHERE id = " (id: BigInt) ")
       OR coalesce((SELECT last_id FROM retired_id WHERE first_id <= " (id: BigInt) " ORDER BY first_id DESC LIMIT 1) >= " (id: BigInt) ", 0)"
);

statement!(Delete { id: i64 as BigInt } -> () = "DELETE FROM site_config WHERE id = " (id: BigInt));
