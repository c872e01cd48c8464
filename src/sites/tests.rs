//! What stands above the store's own rules.

use std::sync::Arc;

use super::*;
use crate::clock::Clock;
use crate::database::sqlite::{Sqlite, migrate};
use crate::report::samples::measured;
use crate::store::sqlite::SqliteStore;

#[tokio::test]
async fn a_site_is_not_renamed_to_what_the_file_declares_before_the_next_start_has_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("uptime.db");
    migrate(&path).unwrap();
    let store = SqliteStore::new(Sqlite::open(&path).unwrap(), Clock::system());
    let declared = [measured("declared", 0, 0).site.spec];
    let sites = Sites::new(Arc::new(store), InFile::of(&declared));
    let site = sites.add(measured("shop", 0, 0).site.spec, Start::InPhase).await.unwrap();
    let renamed =
        |name: &'static str| move |site: &Site| Ok(SiteSpec { name: name.to_owned(), ..site.spec.clone() });

    let refused = sites.change(site.clone(), renamed("declared")).await.unwrap_err();
    let changed = sites.change(site, renamed("store")).await.unwrap().unwrap();

    let SitesError::Refused(refused) = refused else { panic!("{refused:?}") };
    assert!(matches!(&refused[..], [StoreError::DeclaredInFile(name)] if name == "declared"), "{refused:?}");
    assert_eq!(changed.spec.name, "store");
}
