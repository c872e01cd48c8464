//! The store in PostgreSQL, for any number of writers and readers.

mod catalog;
mod changes;
mod history;
mod partitions;
mod pruned;
mod pruning;
mod results;
mod rows;
mod schedules;

use std::sync::Arc;

use crate::database::postgres::Postgres;
use partitions::Partitions;
use pruning::Pruning;

/// [`ResultStore`](super::ResultStore), [`Catalog`](super::Catalog) and [`History`](super::History) on PostgreSQL.
#[derive(Clone)]
pub struct PostgresStore {
    database: Postgres,
    partitions: Arc<Partitions>,
    pruning: Arc<Pruning>,
}

impl PostgresStore {
    /// A store in `database`.
    pub fn new(database: Postgres) -> Self {
        let partitions = Arc::new(Partitions::new(database.clone()));
        let pruning = Arc::new(Pruning::new(database.clone(), Arc::clone(&partitions)));
        Self { database, partitions, pruning }
    }
}
