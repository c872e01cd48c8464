//! Changing a part of a site: what is not named stays as it is, and what is a default stays a default.

use super::SitesError;
use crate::config::{Origin, Problem, RawSite, SiteDefaults};
use crate::model::SiteSpec;

/// The site as it is declared, for values to be put over. A timeout that is the default for the interval, and retries that are the
/// default for the method, are left out, so that they follow a change of either.
pub fn changed_part(spec: &SiteSpec, origin: Origin, defaults: &SiteDefaults) -> RawSite {
    let mut site = RawSite::from_spec(spec, origin);
    if defaults.is_timeout_for(spec.schedule.shortest(), spec.timeout) {
        site.timeout = None;
    }
    let method = spec.settings.as_ref().map_or("GET", |settings| &settings.request.method);
    if spec.retries == SiteDefaults::retries_for(method) {
        site.retries = None;
    }
    site
}

/// The site, unless something is wrong with it, or was with what described it.
///
/// # Errors
/// `problems`, and those that validation finds.
pub fn validated(
    site: RawSite,
    mut problems: Vec<Problem>,
    defaults: &SiteDefaults,
) -> Result<SiteSpec, SitesError> {
    match site.validate(defaults) {
        Ok(spec) if problems.is_empty() => return Ok(spec),
        Ok(_) => {}
        Err(more) => problems.extend(more),
    }
    Err(SitesError::Invalid(problems))
}
