//! Sites in JSON: a list of objects, or an object with such a list as `site`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::collector::Collector;
use super::number::has_large_number;
use crate::config::document::Fields;
use crate::config::lines::Lines;
use crate::config::problem::{Problem, Problems};
use crate::config::value::{Origin, Setting, Value, null};
use crate::model::secret::without_values;

const SHAPE: &str = "write [{\"name\": …, \"url\": …}, …] or {\"site\": […]}";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped<'a> {
    #[serde(borrow)]
    site: Vec<&'a RawValue>,
}

pub(super) fn read(text: &str, origin: &Origin, collector: &mut Collector<'_>) -> Result<(), Problems> {
    let sites = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map(|Wrapped { site }| site)
    } else {
        serde_json::from_str::<Vec<&RawValue>>(text)
    };
    let sites = sites.map_err(|error| {
        let line = u32::try_from(error.line()).unwrap_or(u32::MAX);
        let why = without_values(&error);
        Problem::new(origin.at(line), format!("is no list of sites in JSON: {why}"), SHAPE)
    })?;
    let lines = Lines::of(text, origin);
    for site in sites {
        match fields(site, text, &lines) {
            Ok(fields) => collector.add_fields(fields),
            Err(problem) => collector.reject(vec![problem]),
        }
    }
    Ok(())
}

fn fields(site: &RawValue, text: &str, lines: &Lines<'_>) -> Result<Fields, Problem> {
    let origin = lines.origin(offset(site, text));
    let keys: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(site.get())
        .map_err(|_| Problem::new(origin.clone(), "an item of the list is no site", SHAPE).about("site"))?;
    let mut settings = Vec::new();
    for (key, raw) in keys {
        let at = lines.origin(offset(raw, text));
        if has_large_number(raw.get()) {
            let remedy = "write a smaller one, or a text in quotes";
            return Err(Problem::new(at, "has a number of more than 64 bits", remedy).about(key));
        }
        let json: Option<serde_json::Value> = serde_json::from_str(raw.get()).ok();
        // `null` is "not said".
        if let Some(value) = json.and_then(plain) {
            settings.push((key.into_owned(), Setting::new(Value::Typed(value), at)));
        }
    }
    Ok(Fields { origin, settings })
}

/// Raw values are slices of the text, so their address tells where they stand.
fn offset(raw: &RawValue, text: &str) -> usize {
    (raw.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// `null` is "not said", but for the items of a list, and for what an answer is compared with: there it becomes [`null`], which
/// all refuse who read such a place and do not know it.
fn plain(value: serde_json::Value) -> Option<toml::Value> {
    use serde_json::Value as Json;
    match value {
        Json::Null => None,
        Json::Object(pairs) => {
            let said = |(key, value): (String, Json)| {
                let is_operand = matches!(key.as_str(), "equals" | "not_equals");
                let value = if is_operand { complete(value) } else { plain(value)? };
                Some((key, value))
            };
            Some(toml::Value::Table(pairs.into_iter().filter_map(said).collect()))
        }
        Json::Array(items) => {
            let items = items.into_iter().map(|item| plain(item).unwrap_or_else(null));
            Some(items.collect::<Vec<_>>().into())
        }
        other => Some(complete(other)),
    }
}

/// All that `value` says.
pub(super) fn complete(value: serde_json::Value) -> toml::Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => null(),
        Json::Bool(yes) => yes.into(),
        Json::Number(number) => match (number.as_i64(), number.is_f64()) {
            (Some(whole), _) => whole.into(),
            // Whole numbers out of range are refused before.
            (None, _) => number.as_f64().unwrap_or(f64::NAN).into(),
        },
        Json::String(text) => text.into(),
        Json::Array(items) => items.into_iter().map(complete).collect::<Vec<_>>().into(),
        Json::Object(pairs) => {
            toml::Value::Table(pairs.into_iter().map(|(key, value)| (key, complete(value))).collect())
        }
    }
}
