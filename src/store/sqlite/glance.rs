//! Looks a site up in passing, for those who do not need it.

use std::path::Path;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::database::statement;
use crate::model::SiteId;

/// The id of the site called `name`, where the file at `path` tells it at once. Whatever is in the way means that it does not:
/// nothing is created, migrated or waited for, and a database of any version will do.
pub fn glance(path: &Path, name: &str) -> Option<SiteId> {
    if !path.is_file() {
        return None;
    }
    // In a URI these signs have a meaning.
    let path = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let mut connection = SqliteConnection::establish(&format!("file:{path}?mode=ro")).ok()?;
    connection.batch_execute("PRAGMA busy_timeout = 0").ok()?;
    let found = IdByName { name: name.to_owned() }.get_result::<(i64,)>(&mut connection);
    found.ok().map(|(id,)| SiteId(id))
}

statement!(IdByName { name: String as Text } -> (BigInt,) = "SELECT id FROM site_config WHERE name = " (name: Text));
