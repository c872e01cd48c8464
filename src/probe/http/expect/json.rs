//! The last answer's body as JSON.

use std::collections::HashSet;
use std::time::Duration;

use regex::Regex;

use super::{Answer, CODED_PART};
use crate::json::{Budget, Document, Exhausted, Id, JsonPath, Node, Number};
use crate::model::Reason;
use crate::model::secret::HIDDEN;
use crate::model::settings::JsonExpectation;
use crate::probe::expect::{ACTUAL_CHARS, ExpectError, Verdict, Wording, charset, cut, escaped, regex};
use crate::probe::mask;

/// Of a path, in a sentence.
const PATH_CHARS: usize = 80;

/// Steps that all conditions of a site may take in one body: each value of a MiB, twenty times. No path that a person needs comes near;
/// `$..*..*` of a long list would otherwise hold up every check of the thread.
const STEPS: u64 = 2_000_000;

/// The same in time, for a machine that is busy.
const TIME: Duration = Duration::from_millis(500);

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
    Equals(Document),
    /// Holds when something is selected and it holds for all of it.
    NotEquals(Document),
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

/// The body and what may be spent on it, or why it is no JSON.
pub(super) type Body = Result<(Document, Budget), String>;

/// Reads the body of `answer` once, for all conditions. Its bytes become a text in the same way as for conditions on the text, so that
/// a byte that is none of its charset is a strange letter in one string and no more.
pub(super) fn body(answer: &Answer<'_>) -> Body {
    if answer.is_coded_part {
        return Err(CODED_PART.to_owned());
    }
    let text = charset::text(answer.body, answer.content_type());
    let document = Document::parse(&text).map_err(|error| {
        match (answer.extent().is_partial(), text.trim_ascii().is_empty()) {
            (_, true) => "empty".to_owned(),
            (true, _) => format!("only read for {} bytes", answer.body.len()),
            (false, false) => format!("no JSON ({error})"),
        }
    })?;
    Ok((document, Budget::new(STEPS, TIME)))
}

impl JsonCondition {
    /// One condition per operator; without an operator, one that the path selects something.
    pub(super) fn compile(settings: &JsonExpectation) -> Result<Vec<Self>, ExpectError> {
        let path = JsonPath::parse(&settings.path);
        let path = path.map_err(|why| ExpectError::path(&settings.path, why))?;
        let subject = escaped(&settings.path, PATH_CHARS);
        let tests = tests(settings)?.into_iter();
        Ok(tests.map(|test| Self { path: path.clone(), wording: test.wording(&subject), test }).collect())
    }

    pub(super) fn judge(&self, body: &mut Body) -> Verdict {
        let what = self.wording.what();
        match body {
            Ok((document, budget)) => {
                let found = self.path.query(document, budget).and_then(|selected| {
                    Ok((self.test.holds(document, &selected, budget)?, in_words(document, &selected)))
                });
                let (met, actual) = found.unwrap_or_else(|Exhausted| {
                    (false, "more work to find than a check may spend on a body".to_owned())
                });
                Verdict::new(Reason::Json, what, actual, met, |actual| self.wording.failure("is", actual))
            }
            Err(why) => Verdict::new(Reason::Json, what, why.clone(), false, |why| {
                format!("the body is {why}, expected {}", self.wording.wanted())
            }),
        }
    }
}

impl Test {
    fn holds(&self, document: &Document, selected: &[Id], budget: &mut Budget) -> Result<bool, Exhausted> {
        let mut any = |test: &dyn Fn(Id) -> bool| any(document, selected, budget, test);
        let is = |id: Id, other: &Document| document.is_same(id, other, other.root());
        match self {
            Self::Present => Ok(!selected.is_empty()),
            Self::Absent => Ok(selected.is_empty()),
            Self::Equals(expected) => any(&|id| is(id, expected)),
            Self::NotEquals(other) => Ok(!selected.is_empty() && !any(&|id| is(id, other))?),
            Self::Compares(relation, limit) => any(&|id| relation.holds(document.node(id), limit)),
            Self::Length(length) => any(&|id| document.length(id) == Some(*length)),
            Self::Matches(regex) => {
                any(&|id| matches!(document.node(id), Node::Text(text) if regex.is_match(text)))
            }
        }
    }

    fn wording(&self, path: &str) -> Wording {
        match self {
            Self::Present => Wording::plain(path, "is there", "to be there"),
            Self::Absent => Wording::plain(path, "is absent", "to be absent"),
            Self::Equals(json) => Wording::value(path, "equals", "to equal", &one_line(json, json.root())),
            Self::NotEquals(json) => {
                Wording::value(path, "does not equal", "not to equal", &one_line(json, json.root()))
            }
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
    fn holds(self, value: &Node, limit: &Number) -> bool {
        let order = match value {
            Node::Number(number) => Some(number.order(limit)),
            // Many services write their numbers as strings.
            Node::Text(text) => Number::parse(text.trim()).map(|number| number.order(limit)),
            _ => None,
        };
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
    let JsonExpectation { path: _, equals, not_equals, is_null, gt, ge, lt, le, exists, length, matches } =
        settings;
    let relations = [
        (gt, Relation::Greater),
        (ge, Relation::GreaterOrEqual),
        (lt, Relation::Less),
        (le, Relation::LessOrEqual),
    ];
    let mut tests = Vec::new();
    tests.extend(equals.as_ref().map(|json| Test::Equals(Document::of(json))));
    tests.extend(not_equals.as_ref().map(|json| Test::NotEquals(Document::of(json))));
    tests.extend(is_null.map(|is_null| match Document::of(&serde_json::Value::Null) {
        null if is_null => Test::Equals(null),
        null => Test::NotEquals(null),
    }));
    for (limit, relation) in relations {
        let limit = limit.as_ref().and_then(|limit| Number::parse(&limit.to_string()));
        tests.extend(limit.map(|limit| Test::Compares(relation, limit)));
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

/// Whether one of the values passes the test. Each is paid for, for a path may select one text many times.
fn any(
    document: &Document,
    selected: &[Id],
    budget: &mut Budget,
    test: &dyn Fn(Id) -> bool,
) -> Result<bool, Exhausted> {
    for &id in selected {
        budget.spend(1)?;
        if let Node::Text(text) = document.node(id) {
            budget.look_at(text)?;
        }
        if test(id) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// For example `"UP"`, or `1, 2, 3`, or `missing`.
fn in_words(document: &Document, selected: &[Id]) -> String {
    if selected.is_empty() {
        return "missing".to_owned();
    }
    let shown = &selected[..selected.len().min(ACTUAL_CHARS)];
    let secret = secrets_among(document, shown);
    let values = shown.iter().map(|id| match secret.contains(id) {
        true => format!("\"{HIDDEN}\""),
        false => one_line(document, *id),
    });
    cut(&values.collect::<Vec<_>>().join(", "), ACTUAL_CHARS)
}

/// Those of the texts that are called a token or the like where they stand. The path does not tell: `$.*` selects them, too.
fn secrets_among(document: &Document, shown: &[Id]) -> HashSet<Id> {
    let is_text = |id: &Id| matches!(document.node(*id), Node::Text(text) if !text.is_empty());
    let texts: HashSet<Id> = shown.iter().copied().filter(is_text).collect();
    if texts.is_empty() {
        return texts;
    }
    let members = document.members().filter(|(name, id)| texts.contains(id) && mask::opens_doors(name));
    members.map(|(_, id)| id).collect()
}

fn one_line(document: &Document, id: Id) -> String {
    // A character has four bytes at most.
    escaped(&document.text(id, 4 * ACTUAL_CHARS), ACTUAL_CHARS)
}
