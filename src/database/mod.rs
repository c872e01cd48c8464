//! The embedded database: opening, locking, migrating, and the one thread that writes.

pub(crate) mod rows;
pub mod sqlite;
mod statement;

pub(crate) use statement::statement;
