//! `site.expect.json`: conditions on the body as JSON.

use serde_json::{Number, Value as Json};

use super::keys::Keys;
use super::operator::{refuse_second, regex};
use crate::config::fault::Fault;
use crate::config::parse;
use crate::config::sites::number::has_large_number;
use crate::config::value::Value;
use crate::json::JsonPath;
use crate::model::settings::JsonExpectation;

const OPERATORS: [&str; 10] =
    ["equals", "not_equals", "is_null", "gt", "ge", "lt", "le", "exists", "length", "matches"];

const LONGEST: i64 = 1 << 30;

pub(super) fn read(keys: &Keys<'_>) -> JsonExpectation {
    if !keys.has("path") {
        keys.missing("path", "write path = \"$.…\"");
    }
    let (equals, not_equals) = (keys.read("equals", json), keys.read("not_equals", json));
    // The `null` of JSON is said in the way that TOML can say it, too, so that exports of either kind can be read back.
    let is_null = match (&equals, &not_equals) {
        (Some(Json::Null), _) => Some(true),
        (_, Some(Json::Null)) => Some(false),
        _ => keys.bool("is_null"),
    };
    let condition = JsonExpectation {
        path: keys.text("path", path).unwrap_or_default(),
        equals: equals.filter(|json| !json.is_null()),
        not_equals: not_equals.filter(|json| !json.is_null()),
        is_null,
        gt: keys.read("gt", number),
        ge: keys.read("ge", number),
        lt: keys.read("lt", number),
        le: keys.read("le", number),
        exists: keys.bool("exists"),
        length: keys
            .read("length", |value| parse::count(value, &(0..=LONGEST)))
            .and_then(|length| u64::try_from(length).ok()),
        matches: keys.text("matches", regex),
    };
    refuse_second(keys, &OPERATORS);
    condition
}

fn path(path: &str) -> Result<String, Fault> {
    JsonPath::parse(path).map(|_| path.to_owned()).map_err(|why| {
        Fault::new(format!("is no JSON path: {why}"), "write one like \"$.status\" (RFC 9535)")
    })
}

fn number(value: &Value) -> Result<Number, Fault> {
    let read = match value {
        Value::Text(text) if has_large_number(text) => return Err(large()),
        Value::Text(text) => text.trim().parse().ok(),
        Value::Typed(value @ (toml::Value::Integer(_) | toml::Value::Float(_))) => match plain(value)? {
            Json::Number(number) => Some(number),
            _ => return Err(not_in_json()),
        },
        Value::Typed(_) => None,
    };
    let remedy = || format!("write a number{}", parse::unquoted(value));
    read.ok_or_else(|| Fault::new(format!("is {}, not a number", value.kind()), remedy()))
}

fn large() -> Fault {
    Fault::new("has a number of more than 64 bits", "write a smaller one")
}

fn not_in_json() -> Fault {
    Fault::new("has a number that JSON does not have", "write a finite one")
}

fn json(value: &Value) -> Result<Json, Fault> {
    match value {
        Value::Text(text) => Ok(text.as_str().into()),
        Value::Typed(value) => plain(value),
    }
}

fn plain(value: &toml::Value) -> Result<Json, Fault> {
    Ok(match value {
        toml::Value::String(text) => text.as_str().into(),
        toml::Value::Integer(number) => (*number).into(),
        // JSON has no such number, and TOML no null.
        toml::Value::Float(number) if number.is_nan() => Json::Null,
        toml::Value::Float(number) => Number::from_f64(*number).map(Json::Number).ok_or_else(not_in_json)?,
        toml::Value::Boolean(yes) => (*yes).into(),
        toml::Value::Datetime(_) => return Err(Fault::new("has a date", "write it in quotes")),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Result<Vec<_>, _>>()?.into(),
        toml::Value::Table(table) => {
            let members = table.iter().map(|(key, value)| Ok((key.clone(), plain(value)?)));
            Json::Object(members.collect::<Result<_, _>>()?)
        }
    })
}
