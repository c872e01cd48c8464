//! The store in the embedded database.

mod catalog;
mod changes;
mod glance;
mod history;
mod results;
mod rows;
mod schedules;

use crate::clock::Clock;
use crate::database::sqlite::Sqlite;
pub use glance::glance;

/// [`ResultStore`](super::ResultStore), [`Catalog`](super::Catalog) and [`History`](super::History) on SQLite.
#[derive(Clone)]
pub struct SqliteStore {
    database: Sqlite,
    clock: Clock,
}

impl SqliteStore {
    /// A store in `database`.
    pub fn new(database: Sqlite, clock: Clock) -> Self {
        Self { database, clock }
    }
}
