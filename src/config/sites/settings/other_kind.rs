//! What only sites of another kind can say, refused where it stands.

use std::cell::RefCell;

use super::Site;
use super::keys::Keys;
use crate::config::fault::Fault;
use crate::config::problem::Problem;
use crate::config::sites::table;

/// Refuses every key of a section that is for HTTP alone. No value is shown.
pub(super) fn refuse_of_http(keys: &Keys<'_>) {
    for (key, flag) in table::of_http(keys.section_name()).filter(|(key, _)| keys.has(key)) {
        let remedy =
            format!("remove it (with `sites set`: --reset {flag}), or write http:// or https:// in the URL");
        keys.complain(key, "is for http and https, and the URL is one of tcp or tls", &remedy);
    }
}

/// On a site of another kind nothing would be sent.
pub(super) fn refuse_send(site: &Site<'_>, problems: &RefCell<Vec<Problem>>) {
    if let Some(setting) = &site.raw.send {
        let message = "is for tcp and tls, and the URL is one of http or https";
        let remedy = "say it in request.body, or remove it (with `sites set`: --reset send)";
        let fault = Fault::new(message, remedy);
        problems.borrow_mut().push(Problem::without_value(site.raw.key("send"), setting, fault));
    }
}
