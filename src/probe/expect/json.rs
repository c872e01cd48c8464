//! The last answer's body as JSON.

use std::cmp::Ordering;

use regex::Regex;
use serde_json::{Number, Value as Json};
use serde_json_path::JsonPath;

use super::excerpt::{ACTUAL_CHARS, cut, escaped};
use super::wording::Wording;
use super::{Answer, ExpectError, Verdict, regex};
use crate::model::Reason;
use crate::model::settings::JsonExpectation;
use crate::pattern;

/// Of a path, in a sentence.
const PATH_CHARS: usize = 80;

/// A condition on the values that a path selects.
pub(super) struct JsonCondition {
    path: JsonPath,
    test: Test,
    wording: Wording,
}

/// All but `Absent` and `NotEquals` hold when they hold for one of the selected values.
enum Test {
    Present,
    Absent,
    Equals(Json),
    /// Holds when something is selected and it holds for all of it.
    NotEquals(Json),
    Compares(Relation, Number),
    Length(u64),
    Matches(Regex),
}

#[derive(Clone, Copy)]
enum Relation {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// The body, or why it is no JSON.
pub(super) type Document = Result<Json, String>;

/// Reads the body of `answer` once, for all conditions.
pub(super) fn document(answer: &Answer<'_>) -> Document {
    let body = answer.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(answer.body);
    serde_json::from_slice(body).map_err(|error| match (answer.is_partial(), body.trim_ascii().is_empty()) {
        (_, true) => "empty".to_owned(),
        (true, _) => format!("only read for {} bytes", answer.body.len()),
        (false, false) => format!("no JSON ({error})"),
    })
}

impl JsonCondition {
    /// One condition per operator; without an operator, one that the path selects something.
    pub(super) fn compile(settings: &JsonExpectation) -> Result<Vec<Self>, ExpectError> {
        let path = pattern::json_path(&settings.path);
        let path = path.map_err(|why| ExpectError::path(&settings.path, why))?;
        let subject = escaped(&settings.path, PATH_CHARS);
        let tests = tests(settings)?.into_iter();
        Ok(tests.map(|test| Self { path: path.clone(), wording: test.wording(&subject), test }).collect())
    }

    pub(super) fn judge(&self, document: &Document) -> Verdict {
        let what = self.wording.what();
        match document {
            Ok(json) => {
                let selected = self.path.query(json).all();
                let met = self.test.holds(&selected);
                Verdict::new(Reason::Json, what, in_words(&selected), met, |actual| {
                    self.wording.failure("is", actual)
                })
            }
            Err(why) => Verdict::new(Reason::Json, what, why.clone(), false, |why| {
                format!("the body is {why}, expected {}", self.wording.wanted())
            }),
        }
    }
}

impl Test {
    fn holds(&self, selected: &[&Json]) -> bool {
        let any = |test: &dyn Fn(&Json) -> bool| selected.iter().any(|value| test(value));
        match self {
            Self::Present => !selected.is_empty(),
            Self::Absent => selected.is_empty(),
            Self::Equals(expected) => any(&|value| is_same(value, expected)),
            Self::NotEquals(other) => !selected.is_empty() && !any(&|value| is_same(value, other)),
            Self::Compares(relation, limit) => any(&|value| relation.holds(value, limit)),
            Self::Length(length) => any(&|value| length_of(value) == Some(*length)),
            Self::Matches(regex) => any(&|value| value.as_str().is_some_and(|text| regex.is_match(text))),
        }
    }

    fn wording(&self, path: &str) -> Wording {
        match self {
            Self::Present => Wording::plain(path, "is there", "to be there"),
            Self::Absent => Wording::plain(path, "is absent", "to be absent"),
            Self::Equals(json) => Wording::value(path, "equals", "to equal", &one_line(json)),
            Self::NotEquals(json) => Wording::value(path, "does not equal", "not to equal", &one_line(json)),
            Self::Compares(relation, limit) => {
                let words = relation.words();
                let (holds, expected) = (format!("is {words}"), format!("to be {words}"));
                Wording::value(path, &holds, &expected, &limit.to_string())
            }
            Self::Length(length) => Wording::value(path, "has length", "to have length", &length.to_string()),
            Self::Matches(regex) => Wording::text(path, "matches", "to match", regex.as_str()),
        }
    }
}

impl Relation {
    fn holds(self, value: &Json, limit: &Number) -> bool {
        let order = number_of(value).and_then(|number| order(&number, limit));
        order.is_some_and(|order| match self {
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        })
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Greater => "more than",
            Self::GreaterOrEqual => "at least",
            Self::Less => "less than",
            Self::LessOrEqual => "at most",
        }
    }
}

fn tests(settings: &JsonExpectation) -> Result<Vec<Test>, ExpectError> {
    let JsonExpectation { path: _, equals, not_equals, gt, ge, lt, le, exists, length, matches } = settings;
    let relations = [
        (gt, Relation::Greater),
        (ge, Relation::GreaterOrEqual),
        (lt, Relation::Less),
        (le, Relation::LessOrEqual),
    ];
    let mut tests = Vec::new();
    tests.extend(equals.clone().map(Test::Equals));
    tests.extend(not_equals.clone().map(Test::NotEquals));
    for (limit, relation) in relations {
        tests.extend(limit.clone().map(|limit| Test::Compares(relation, limit)));
    }
    tests.extend(length.map(Test::Length));
    tests.extend(matches.as_deref().map(regex).transpose()?.map(Test::Matches));
    match exists {
        Some(false) => tests.push(Test::Absent),
        Some(true) => tests.push(Test::Present),
        None if tests.is_empty() => tests.push(Test::Present),
        None => {}
    }
    Ok(tests)
}

/// Equal as RFC 9535 has it: numbers by their value, whether they are written with a fraction or not.
fn is_same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => order(a, b) == Some(Ordering::Equal),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => a == b,
    }
}

/// Whole numbers exactly, others as 64-bit floating point.
fn order(a: &Number, b: &Number) -> Option<Ordering> {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
    }
}

/// Many services write their numbers as strings.
fn number_of(value: &Json) -> Option<Number> {
    match value {
        Json::Number(number) => Some(number.clone()),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Characters, items or members.
fn length_of(value: &Json) -> Option<u64> {
    let length = match value {
        Json::String(text) => text.chars().count(),
        Json::Array(items) => items.len(),
        Json::Object(members) => members.len(),
        _ => return None,
    };
    Some(length as u64)
}

/// For example `"UP"`, or `1, 2, 3`, or `missing`.
fn in_words(selected: &[&Json]) -> String {
    if selected.is_empty() {
        return "missing".to_owned();
    }
    let values = selected.iter().take(ACTUAL_CHARS).map(|value| one_line(value));
    cut(&values.collect::<Vec<_>>().join(", "), ACTUAL_CHARS)
}

fn one_line(json: &Json) -> String {
    escaped(&json.to_string(), ACTUAL_CHARS)
}
