//! Paths of RFC 9535.

mod evaluate;
mod function;
mod grammar;
mod lexer;
mod pattern;

use std::fmt;

use super::budget::{Budget, Exhausted};
use super::document::{Document, Id};
use function::Function;

/// A path, compiled.
#[derive(Debug, Clone)]
pub(crate) struct JsonPath {
    segments: Vec<Segment>,
}

/// Why a text is no path, in words that complete "is no JSON path: …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadPath {
    what: String,
    /// Characters before the place.
    at: usize,
}

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at position {}, {}", self.at, self.what)
    }
}

impl JsonPath {
    /// Reads a path, with every regular expression that it names.
    pub(crate) fn parse(text: &str) -> Result<Self, BadPath> {
        Ok(Self { segments: grammar::path(text)? })
    }

    /// What it selects in `document`, at most as much of it as the budget allows to be looked at.
    pub(crate) fn query(&self, document: &Document, budget: &mut Budget) -> Result<Vec<Id>, Exhausted> {
        evaluate::query(&self.segments, document, budget)
    }
}

/// One step down.
#[derive(Debug, Clone)]
struct Segment {
    /// `..`: from each value below, too.
    descends: bool,
    selectors: Vec<Selector>,
}

#[derive(Debug, Clone)]
enum Selector {
    Name(Box<str>),
    Wildcard,
    Index(i64),
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Logical),
}

/// What is true or false of a value.
#[derive(Debug, Clone)]
enum Logical {
    Any(Vec<Logical>),
    All(Vec<Logical>),
    Not(Box<Logical>),
    /// It selects something.
    Exists(Query),
    Function(Box<Function>),
    Compares(Box<Comparable>, Relation, Box<Comparable>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A path inside of a filter.
#[derive(Debug, Clone)]
struct Query {
    /// `$`, not `@`.
    is_absolute: bool,
    segments: Vec<Segment>,
}

/// One side of a comparison.
#[derive(Debug, Clone)]
enum Comparable {
    Literal(std::rc::Rc<Document>),
    /// It selects one value at most.
    Query(Query),
    Function(Box<Function>),
}

impl Query {
    /// Whether it cannot select more than one value.
    fn is_singular(&self) -> bool {
        self.segments.iter().all(|segment| {
            let one = matches!(segment.selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)]);
            one && !segment.descends
        })
    }
}
