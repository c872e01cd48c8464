//! The store: what is watched, and what was found.
//!
//! Three ports, one per reader: [`ResultStore`] for the persister, [`Catalog`] for whatever changes sites,
//! [`History`] for reports. [`sqlite`] keeps all three in the embedded database, [`postgres`] in one that many machines share.

pub mod accounting;
mod catalog;
mod change_set;
mod error;
mod failure;
mod history;
mod listed;
pub mod postgres;
mod range;
mod results;
mod retention;
mod rhythm;
pub mod sqlite;
mod turns;

use catalog::refuse_file_site;
pub use catalog::{Catalog, Changes, Progress, SiteCount, Start};
pub(crate) use change_set::nearest as nearest_name;
pub use error::StoreError;
pub use failure::{Failure, Seen};
pub use history::{History, SiteStatistics};
pub use listed::Listed;
pub use range::Range;
pub use results::{Persisted, ResultStore};
pub use retention::{Doubt, Pruned, Retention};
pub use turns::Turn;
