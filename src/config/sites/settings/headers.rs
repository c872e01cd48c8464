//! `site.expect.headers`: conditions on headers.

use super::header::checked_name;
use super::keys::Keys;
use super::operator::{part, refuse_second, regex};
use crate::config::parse;
use crate::model::settings::HeaderExpectation;

const OPERATORS: [&str; 4] = ["equals", "contains", "matches", "not_matches"];

pub(super) fn read(keys: &Keys<'_>) -> HeaderExpectation {
    if !keys.has("name") {
        keys.missing("name", "write name = \"…\"");
    }
    let condition = HeaderExpectation {
        name: keys.text("name", checked_name).unwrap_or_default(),
        equals: keys.read("equals", |value| parse::text(value).map(str::to_owned)),
        contains: keys.text("contains", part),
        matches: keys.text("matches", regex),
        not_matches: keys.text("not_matches", regex),
        absent: keys.bool("absent").unwrap_or_default(),
        allow_missing: keys.bool("allow_missing").unwrap_or_default(),
    };
    refuse_second(keys, &OPERATORS);
    refuse_contradictions(keys, &condition);
    condition
}

fn refuse_contradictions(keys: &Keys<'_>, condition: &HeaderExpectation) {
    let operator = OPERATORS.iter().find(|key| keys.has(key));
    if let (true, Some(operator)) = (condition.absent, operator) {
        keys.refuse("absent", format!("stands beside {operator}"), "keep one of the two");
    }
    if condition.allow_missing && condition.absent {
        keys.refuse("allow_missing", "stands beside absent", "remove it");
    } else if condition.allow_missing && operator.is_none() {
        let remedy = "add equals, contains, matches or not_matches";
        keys.refuse("allow_missing", "leaves nothing that could fail", remedy);
    }
}
