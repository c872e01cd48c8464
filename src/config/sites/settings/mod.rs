//! `[site.request]`, `[site.tls]`, `[site.expect]` and `send`: from what is written to what a check can do without a doubt.
//!
//! Whatever a check could stumble over when it makes its plan, and whatever can never come true, is refused here.

mod body;
mod expect;
mod header;
mod headers;
mod json;
mod keys;
mod operator;
mod other_kind;
mod request;
mod section;
mod tcp;
mod tls;

use std::cell::RefCell;
use std::time::Duration;

use ::url::Url;

use super::url::parse;
use super::{RawSite, SiteDefaults};
use crate::config::problem::Problem;
use crate::config::value::Setting;
use crate::model::Kind;
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
    let url = site.url.and_then(|url| parse(url, Kind::of(url)?).ok());
    let settings = match kind(site.raw) {
        Some(Kind::Tcp) => tcp::read(site, url.as_ref(), &problems),
        Some(Kind::Http) => {
            other_kind::refuse_send(site, &problems);
            of_http(site, url.as_ref(), &problems)
        }
        None => of_http(site, url.as_ref(), &problems),
    };
    (settings, problems.into_inner())
}

/// As the URL says, also where something else is wrong with it.
fn kind(site: &RawSite) -> Option<Kind> {
    Kind::of(site.url.as_ref()?.value.as_str()?)
}

fn of_http(site: &Site<'_>, url: Option<&Url>, problems: &RefCell<Vec<Problem>>) -> CheckSettings {
    let RawSite { request, tls, expect, .. } = site.raw;
    let request = section(site.raw, "request", request, problems)
        .map_or_else(RequestSettings::default, |section| request::read(section, url));
    let tls = section(site.raw, "tls", tls, problems).map(tls::read).unwrap_or_default();
    let bounds = expect::Bounds {
        url,
        timeout: site.timeout,
        body_limit: site.defaults.body_limit,
        is_head: request.method == "HEAD",
    };
    let expect = section(site.raw, "expect", expect, problems)
        .map(|section| expect::read(section, &bounds))
        .unwrap_or_default();
    CheckSettings { request, tls, expect, tcp: None }
}

fn section<'a>(
    site: &'a RawSite,
    name: &'static str,
    setting: &'a Option<Setting>,
    problems: &'a RefCell<Vec<Problem>>,
) -> Option<Section<'a>> {
    setting.as_ref().map(|setting| Section { site, name, setting, problems })
}
