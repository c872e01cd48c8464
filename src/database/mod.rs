//! The databases: opening, locking, migrating, and how our types look in their rows.

mod error;
pub mod postgres;
pub(crate) mod rows;
pub(crate) mod set_back;
pub mod sqlite;
mod statement;

pub use error::DatabaseError;
pub(crate) use statement::statement;
