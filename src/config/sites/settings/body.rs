//! `site.expect.body`: conditions on the text of the body.

use super::keys::Keys;
use super::operator::{part, regex, text};
use crate::config::fault::Fault;
use crate::config::parse;
use crate::config::value::Value;
use crate::model::settings::BodyExpectations;

/// `body_limit` is how much of a body is read.
pub(super) fn read(keys: &Keys<'_>, body_limit: u64) -> BodyExpectations {
    BodyExpectations {
        contains: keys.list("contains", text(part)),
        not_contains: keys.list("not_contains", text(part)),
        matches: keys.list("matches", text(regex)),
        not_matches: keys.list("not_matches", text(regex)),
        max_bytes: keys.read("max_bytes", |value| max_bytes(value, body_limit)),
    }
}

fn max_bytes(value: &Value, body_limit: u64) -> Result<u64, Fault> {
    let bytes = parse::size(value, &(1..=1 << 30))? as u64;
    if bytes > body_limit {
        let message =
            format!("is more than checker.body_limit, past which nothing is read: {body_limit} bytes");
        return Err(Fault::new(message, "lower it, or raise checker.body_limit"));
    }
    Ok(bytes)
}
