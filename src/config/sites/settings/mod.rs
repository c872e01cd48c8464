//! `[site.request]`, `[site.tls]` and `[site.expect]`: from what is written to what a check can do without a doubt.
//!
//! Whatever a check could stumble over when it makes its plan, and whatever can never come true, is refused here.

mod body;
mod expect;
mod header;
mod headers;
mod json;
mod keys;
mod operator;
mod request;
mod section;
mod tls;

use std::cell::RefCell;
use std::time::Duration;

use ::url::Url;

use super::super::problem::Problem;
use super::super::value::Setting;
use super::{RawSite, SiteDefaults};
use crate::model::settings::{CheckSettings, RequestSettings};
use section::Section;

/// What is known of the site already. `None` where it is wrong, which is problem enough.
pub(super) struct Site<'a> {
    pub(super) raw: &'a RawSite,
    pub(super) url: Option<&'a str>,
    pub(super) timeout: Option<Duration>,
    pub(super) defaults: &'a SiteDefaults,
}

/// The settings of a site, and everything that is wrong with them. With problems they are of no use.
pub(super) fn read(site: &Site<'_>) -> (CheckSettings, Vec<Problem>) {
    let problems = RefCell::new(Vec::new());
    let url = site.url.and_then(|url| Url::parse(url).ok());
    let RawSite { request, tls, expect, .. } = site.raw;
    let request = section(site.raw, "request", request, &problems)
        .map_or_else(RequestSettings::default, |section| request::read(section, url.as_ref()));
    let tls = section(site.raw, "tls", tls, &problems).map(tls::read).unwrap_or_default();
    let bounds = expect::Bounds {
        url: url.as_ref(),
        timeout: site.timeout,
        body_limit: site.defaults.body_limit,
        is_head: request.method == "HEAD",
    };
    let expect = section(site.raw, "expect", expect, &problems)
        .map(|section| expect::read(section, &bounds))
        .unwrap_or_default();
    (CheckSettings { request, tls, expect }, problems.into_inner())
}

fn section<'a>(
    site: &'a RawSite,
    name: &'static str,
    setting: &'a Option<Setting>,
    problems: &'a RefCell<Vec<Problem>>,
) -> Option<Section<'a>> {
    setting.as_ref().map(|setting| Section { site, name, setting, problems })
}
