//! The store in PostgreSQL, for any number of writers and readers.

mod catalog;
mod changes;
mod history;
mod partitions;
mod results;
mod rows;

use std::sync::Arc;

use crate::database::postgres::Postgres;
use partitions::Partitions;

/// [`ResultStore`](super::ResultStore), [`Catalog`](super::Catalog) and [`History`](super::History) on PostgreSQL.
#[derive(Clone)]
pub struct PostgresStore {
    database: Postgres,
    partitions: Arc<Partitions>,
}

impl PostgresStore {
    /// A store in `database`.
    pub fn new(database: Postgres) -> Self {
        Self { partitions: Arc::new(Partitions::new(database.clone())), database }
    }
}
