//! What one source may say only once.

use std::collections::HashMap;

use crate::config::fault::Fault;

use super::RawSite;
use crate::config::problem::Problem;
use crate::config::value::Origin;
use crate::model::SiteId;

/// Refuses an id that its source has used before.
#[derive(Default)]
pub(super) struct Ids(HashMap<SiteId, Origin>);

impl Ids {
    pub(super) fn claim(&mut self, site: &RawSite) -> Result<Option<SiteId>, Problem> {
        let (Some(id), Some(setting)) = (site.site_id()?, &site.id) else { return Ok(None) };
        match self.0.insert(id, setting.origin.clone()) {
            None => Ok(Some(id)),
            Some(first) => {
                let fault = Fault::new(
                    format!("is already used in {}", first.short()),
                    "give each site an id of its own, or none",
                );
                Err(Problem::with(site.key("id"), setting, fault))
            }
        }
    }
}

/// Refuses a name that its source has used before.
#[derive(Default)]
pub(super) struct Names(HashMap<String, Origin>);

impl Names {
    pub(super) fn claim(&mut self, site: &RawSite) -> Result<(), Problem> {
        let Some(setting) = &site.name else { return Ok(()) };
        let Some(name) = setting.value.as_str().map(str::trim) else { return Ok(()) };
        if let Some(first) = self.0.get(name) {
            let fault = Fault::new(
                format!("is already used in {}", first.short()),
                "give each site a name of its own",
            );
            return Err(Problem::with("site: name", setting, fault));
        }
        self.0.insert(name.to_owned(), setting.origin.clone());
        Ok(())
    }
}
