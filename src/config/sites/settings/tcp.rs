//! Sites with a URL of `tcp` or `tls`: what makes sense for them, and what does not.

use std::cell::RefCell;

use url::Url;

use super::expect::Bounds;
use super::section::Section;
use super::{Site, expect, request, section, tls};
use crate::config::fault::Fault;
use crate::config::parse;
use crate::config::problem::Problem;
use crate::config::secret::real;
use crate::config::value::Value;
use crate::model::Kind;
use crate::model::secret::SHORTEST_SECRET;
use crate::model::settings::{CheckSettings, TcpSettings, TlsSettings};

/// It goes with every job.
const LONGEST: usize = 64 * 1024;

pub(super) fn read(site: &Site<'_>, url: Option<&Url>, problems: &RefCell<Vec<Problem>>) -> CheckSettings {
    let raw = site.raw;
    let mut settings = CheckSettings::of_kind(Kind::Tcp);
    if let Some(section) = section(raw, "request", &raw.request, problems) {
        settings.request = request::read_common(section, url);
    }
    if let Some(section) = section(raw, "tls", &raw.tls, problems) {
        settings.tls = tls::read(section);
        refuse_tls(section, url, &settings.tls);
    }
    if let Some(section) = section(raw, "expect", &raw.expect, problems) {
        let bounds =
            Bounds { url, timeout: site.timeout, body_limit: site.defaults.body_limit, is_head: false };
        settings.expect = expect::read_common(section, &bounds);
    }
    settings.tcp = Some(TcpSettings { send: send(site, problems) });
    settings.request.hide(expanded_in_send(site));
    settings
}

/// What a server is sent may have a password in it, so no problem shows it.
fn send(site: &Site<'_>, problems: &RefCell<Vec<Problem>>) -> Option<String> {
    let setting = site.raw.send.as_ref()?;
    let refuse = |fault| {
        problems.borrow_mut().push(Problem::without_value(site.raw.key("send"), setting, fault));
    };
    checked_send(&setting.value).map_err(refuse).ok()
}

fn checked_send(value: &Value) -> Result<String, Fault> {
    let text = parse::text(value)?;
    real(text)?;
    match text.len() {
        0 => Err(Fault::new("is empty", "write what the server is to be sent, or remove it")),
        length if length > LONGEST => {
            Err(Fault::new(format!("has {length} bytes, more than 64KiB"), "shorten it"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// What `${NAME}` stood for, where it is long enough to hide.
fn expanded_in_send(site: &Site<'_>) -> Vec<String> {
    let expanded = site.raw.send.iter().flat_map(|setting| &setting.expanded);
    expanded.filter(|text| text.len() >= SHORTEST_SECRET).cloned().collect()
}

fn refuse_tls(section: Section<'_>, url: Option<&Url>, settings: &TlsSettings) {
    if url.is_some_and(|url| url.scheme() == "tcp") && *settings != TlsSettings::default() {
        let remedy = "write tls:// in the URL, or remove it (with `sites set`: --reset tls)";
        section.complain("", "stands beside a URL with tcp, over which no TLS is spoken", remedy);
    }
}
